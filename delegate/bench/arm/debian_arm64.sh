#!/bin/sh
# debian_arm64.sh FOLDER PACKAGE...: unpacks Debian packages for arm64 into FOLDER/root, without what
# they depend on. What is installed on this machine, and its architectures, stay as they are.
set -eu

folder=$1
shift
mkdir -p "$folder/apt/lists" "$folder/apt/archives/partial" "$folder/root"
folder=$(cd "$folder" && pwd)
: > "$folder/apt/status"
cd "$folder/apt/archives"
private_apt() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
    -o Dir::State="$folder/apt" -o Dir::State::lists="$folder/apt/lists" \
    -o Dir::State::status="$folder/apt/status" -o Dir::Cache="$folder/apt" \
    -o Debug::NoLocking=1 -o Acquire::Languages=none -o APT::Sandbox::User= "$@"
}
private_apt update || true  # a source without arm64 does no harm, if another has it
private_apt download "$@"
for package in *.deb; do
  dpkg-deb --extract "$package" "$folder/root"
done
rm -r "$folder/apt"
