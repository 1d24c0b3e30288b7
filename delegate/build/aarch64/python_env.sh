#!/bin/sh
# python_env.sh FOLDER HOST_PYTHON: makes FOLDER/python, an aarch64 Python with ai-edge-litert that
# runs under qemu on any machine. Packages come from the machine's own apt sources and pip index;
# what is installed on the machine, and its dpkg architectures, stay as they are.
set -eu

# qemu 7.2 (Debian 12) crashes in ai-edge-litert 2.3, and computes nonsense in what it does with SME.
litert=ai-edge-litert==2.1.6

folder=$1
host_python=$2
rm -rf "$folder"
mkdir -p "$folder/root" "$folder/apt/lists" "$folder/apt/archives/partial"
folder=$(cd "$folder" && pwd)

# An apt of its own, that sees an arm64 machine with nothing installed.
: > "$folder/apt/status"
private_apt() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
    -o Dir::State="$folder/apt" -o Dir::State::lists="$folder/apt/lists" \
    -o Dir::State::status="$folder/apt/status" -o Dir::Cache="$folder/apt" \
    -o Debug::NoLocking=1 -o Acquire::Languages=none -o APT::Sandbox::User= "$@"
}
echo "aarch64 Python: the arm64 packages"
private_apt update || true  # a source without arm64 does no harm, if another has it
if ! private_apt install -y --download-only --no-install-recommends python3 libstdc++6; then
  echo "This machine's apt sources have no arm64 packages, which the aarch64 tests need." >&2
  echo "Debian's have them; on Ubuntu add the 'ports' archive as an [arch=arm64] source." >&2
  exit 1
fi
for package in "$folder"/apt/archives/*.deb; do
  dpkg-deb --extract "$package" "$folder/root"
done
rm -r "$folder/apt"

binary=$(basename "$folder"/root/usr/bin/python3.*[0-9])
echo "aarch64 Python: the wheels for $binary"
"$host_python" -m pip install --quiet --target "$folder/site-packages" \
  --python-version "${binary#python}" --implementation cp --only-binary=:all: \
  --platform manylinux2014_aarch64 --platform manylinux_2_17_aarch64 \
  --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64 \
  "$litert" numpy flatbuffers

cat > "$folder/python.new" <<END
#!/bin/sh
PYTHONPATH="$folder/site-packages\${PYTHONPATH:+:\$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1 \\
  exec qemu-aarch64-static -cpu "\${QEMU_CPU:-max,sme=off}" -L "$folder/root" "$folder/root/usr/bin/$binary" "\$@"
END
chmod +x "$folder/python.new"
"$folder/python.new" -c "import ai_edge_litert.interpreter, platform; print('aarch64 Python', platform.python_version(), 'on', platform.machine())"
mv "$folder/python.new" "$folder/python"
