# awk -v room=NAME -f test/lint/below.awk src/ROOMS: the room, those it lists, and theirs in turn.
{ for (i = 2; i <= NF; i++) uses[$1, i - 1] = $i; count[$1] = NF - 1; order[NR] = $1 }
END {
    need[room] = 1
    for (r = NR; r >= 1; r--)
        if (need[order[r]]) {
            print order[r]
            for (i = 1; i <= count[order[r]]; i++) need[uses[order[r], i]] = 1
        }
}
