# put.sh FOLDER FILE... copies files into a folder, each whole or not at all: whoever is stopped
# half-way leaves nothing there. One that is there already is kept beside, numbered.
set -eu
folder=$1
shift
incoming=$folder.incoming
mkdir -p "$incoming"
for file in "$@"; do
    name=${file##*/}
    cp -- "$file" "$incoming/$name.$$"
    mv --backup=numbered -- "$incoming/$name.$$" "$folder/$name"
done
