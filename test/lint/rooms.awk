# awk -f test/lint/rooms.awk src/ROOMS FILES: a room includes only the rooms that src/ROOMS lists for it.
function fault(text) { print FILENAME ":" FNR ": " text; bad = 1 }
FILENAME ~ /ROOMS$/ {
    known[$1] = 1
    for (i = 2; i <= NF; i++) {
        if (!($i in known)) fault($i " is not a lower room")
        allowed[$1, $i] = 1
    }
    next
}
FNR == 1 {
    room = FILENAME
    sub(/^src\//, "", room)
    sub(/\/[^\/]*$/, "", room)
    if (!(room in known)) fault("room " room " is not in src/ROOMS")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    target = part[2]
    if (!sub(/\/[^\/]*$/, "", target)) fault("write the room: " part[2])
    else if (target != room && !((room, target) in allowed)) fault(room " may not include " target)
}
END { exit bad }
