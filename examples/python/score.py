"""The C example in Python.   usage: python3 score.py MODEL"""
import sys

import depthprune as dp


def show(phase, done, total, left):
    print("\r%s %d of %d" % (phase, done, total), end="", file=sys.stderr)


def main(path):
    with dp.Context() as context:
        model = dp.Model(context, path)
        vocabulary = model.info.vocab_size
        rows = [[((row * 32 + i) * 7 + 3) % vocabulary for i in range(32)] for row in range(4)]
        calib = dp.Calibration.from_ids(context, rows)
        scores = dp.values(dp.score(context, model, calib, progress=show))
        print(file=sys.stderr)
        for block, value in enumerate(scores):
            print("%d %.17g" % (block, value))
        try:
            dp.score(context, model, calib, progress=lambda *_: True)
        except dp.Error as failure:
            print("cancelled: %s" % failure.name)
        try:
            dp.Model(context, "no-such-model")
        except dp.Error as failure:
            print("failed: %s: %s: %s" % (failure.name, failure.file, failure.message))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
