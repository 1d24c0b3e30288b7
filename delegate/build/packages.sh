#!/bin/sh
# packages.sh PACKAGE...: installs those of Debian's (or Ubuntu's) packages that are missing, or says which.
set -eu

if ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian or Ubuntu; make sure that you have what these packages bring: $*"
  exit 0
fi

missing=
for package; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif sudo --non-interactive true 2>/dev/null; then
  as_root=sudo
else
  echo "These packages are missing:$missing" >&2
  echo "Install them with:  sudo apt-get install --no-install-recommends$missing" >&2
  exit 1
fi
echo "Installing the missing packages:$missing"
$as_root apt-get update -qq || echo "apt-get update failed in part; going on with the lists at hand."
DEBIAN_FRONTEND=noninteractive $as_root apt-get -o DPkg::Lock::Timeout=600 install -qq -y --no-install-recommends $missing
