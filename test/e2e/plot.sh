# The chart is drawn with gnuplot; without it a note names the package and the scores are there all the same.
. test/e2e/begin.inc
need_tiny

PATH=/nonexistent "$depthprune" score "$tiny/model" --criterion mag -o "$scratch/a.json" --plot "$scratch/a.svg" \
    >/dev/null 2>"$scratch/err" || bad "a missing gnuplot is not a failure beside scores"
says "gnuplot-nox"
[ -s "$scratch/a.json" ] || bad "no scores"
PATH=/nonexistent "$depthprune" score "$tiny/model" --criterion mag --plot "$scratch/a.svg" >/dev/null 2>"$scratch/err"
[ $? = 1 ] || bad "the chart alone was asked for, and it is missing"
[ "$(ls -A "$scratch")" = "$(printf 'a.json\nerr')" ] || bad "left behind: $(ls -A "$scratch")"

command -v gnuplot >/dev/null || {
    echo "gnuplot is not installed"
    exit 77
}
for kind in svg png; do
    expect 0 score "$tiny/model" --criterion mag --plot "$scratch/chart.$kind"
    [ -s "$scratch/chart.$kind" ] || bad "no chart.$kind"
    expect 1 score "$tiny/model" --criterion mag --plot "$scratch/chart.$kind"
    says "--force"
done
grep -q '<svg' "$scratch/chart.svg" || bad "not an SVG file"
expect 0 plan "$tiny/model" --scores "$scratch/a.json" --blocks 2 --plot "$scratch/plan.svg"
grep -q 'removed' "$scratch/plan.svg" || bad "removed blocks are not marked"
finish
