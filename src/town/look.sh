# Looks whether files are in a folder: sh look.sh FOLDER FILE...
# 0 all there, 1 something is missing, 2 something else has its name, 3 cannot tell.
folder=$1
shift
test -d "$folder" || exit 3
missing=0
for file; do
    there=$folder/${file##*/}
    if ! test -e "$there"; then
        missing=1
    elif ! cmp -s "$there" "$file"; then
        echo "${file##*/} is there with other content"
        exit 2
    fi
done
exit "$missing"
