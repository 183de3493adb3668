# Help, wrong usage and exit statuses.
. test/e2e/begin.inc

for command in inspect score plan prune eval convert report doctor completion help; do
    expect 0 $command --help
    prints "usage: depthprune $command"
    prints "Examples:"
    [ -s "$scratch/err" ] && bad "$command --help writes to standard error"
    expect 0 help $command
    prints "usage: depthprune $command"
done
expect 0 --help
prints "Exit status"
expect 0 --version
prints "depthprune "

expect 2
expect 2 frobnicate
says "there is no command 'frobnicate'"
expect 2 score
says "score needs MODEL"
expect 2 inspect a b
says "does not take 'b'"
expect 2 score model --calibraton text
says "did you mean --calibration?"
expect 2 prune model --window 3
says "--window is an option of 'eval', not of 'prune'"
expect 2 score model
says "--calibration"
expect 2 score model --criterion entropy --calibration text
expect 2 prune model --remove 3
says "-o OUT"
expect 2 prune model -o out
says "--remove"
expect 2 prune model --remove 3 --plan plan.json -o out
says "one of"
expect 2 prune model --scores scores.json -o out
says "--ratio"
expect 2 eval model
says "--perplexity"
expect 2 eval model --perplexity text --mode B --bos none
says "contradicts"
expect 2 score model --criterion mag --plot chart.gif
says ".svg"

while read -r option value; do
    expect 2 prune model -o out "$option" "$value"
    says "$option wants"
done <<'END'
--blocks 0
--blocks six
--blocks 4294967297
--ratio 1
--ratio 20%
--params 5.5Q
--params -1
--remove 5-3
--remove 3,
--remove -1
--protect 4
--threads 0
--threads 1025
--memory 1X
--seed -1
--dtype f8
--to onnx
--load lazily
--weight-reduction m
--samples 0
--length 1
END

# an empty word is none
expect 2 inspect ""
says "empty name"
expect 2 score model --criterion ""
says "--criterion wants"
expect 2 convert model -o ""
says "--output wants"

# '-' and '_' are alike, and so are '--name value' and '--name=value'
expect 2 prune model -o out --weight_reduction=m
says "--weight-reduction wants"
expect 1 inspect "$scratch/nothing"
says "$scratch/nothing"
expect 1 --json --quiet inspect "$scratch/nothing"
finish
