# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What tools/setup and tools/vm/* share: messages, places, and an apt of our own.
#
# That apt sees the releases that the kernels and QEMU come from, through the
# machine's own mirror and proxy, and leaves the machine's sources alone; its
# lists and downloads live in the cache and need no root. To be sourced.

set -euo pipefail

# shellcheck disable=SC2034 # for those who source this
root=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gospan
own_apt=$cache/apt
apt_arch=amd64

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
case $codename in
bookworm) foreign=trixie ;;
trixie)   foreign=bookworm ;;
*)        die "Debian 12 and 13 are supported, not ${codename}" ;;
esac

# use_apt ARCH: that apt is about another architecture from here on, with lists of its own
use_apt()
{
	apt_arch=$1 own_apt=$cache/apt
	[[ $1 == amd64 ]] || own_apt+=-$1
}

# apt_write_conf: the settings of that apt. The other release is never installed
# from, only downloaded from by exact version: hence the pin.
apt_write_conf()
{
	cat >"$own_apt/apt.conf" <<-END
		Dir::Etc::sourcelist "$own_apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "$own_apt/preferences";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State::lists "$own_apt/lists";
		Dir::Cache "$own_apt/cache";
		Dir::Cache::pkgcache "pkgcache.bin";
		Dir::Cache::srcpkgcache "srcpkgcache.bin";
		Acquire::Languages "none";
		Acquire::GzipIndexes "true";
		Acquire::Retries "1";
		Acquire::http::Timeout "20";
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
	END
	[[ $apt_arch == amd64 ]] || cat >>"$own_apt/apt.conf" <<-END
		APT::Architecture "$apt_arch";
		APT::Architectures { "$apt_arch"; };
	END
	cat >"$own_apt/preferences" <<-END
		Package: *
		Pin: release n=$foreign*
		Pin-Priority: -1
	END
}

# apt_write_sources: every suite of both releases, on the machine's own mirrors
apt_write_sources()
{
	local main security release suite
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	local options="target=Packages arch=$apt_arch"
	[[ ! -r $keyring ]] || options+=" signed-by=$keyring"

	main=$(machine_mirror "$codename")
	security=$(machine_mirror "$codename-security")
	if [[ -z $main ]]; then
		[[ -s $own_apt/sources.list ]] || die "apt has no package lists: run apt-get update as root"
		return
	fi
	for release in "$codename" "$foreign"; do
		for suite in "$release" "$release-updates" "$release-backports"; do
			echo "deb [$options] $main $suite main"
		done
		[[ -z $security ]] || echo "deb [$options] $security $release-security main"
	done >"$own_apt/sources.list"
}

# machine_mirror CODENAME: the address that the machine gets this suite from
machine_mirror()
{
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Identifier: Packages' |
		awk -v suite="$1" '$1 == "Debian" && $2 == suite && !seen++ { print $3 }'
}

# apt_refresh: package lists at most a day old; those of before when the mirror
# cannot be reached
apt_refresh()
{
	apt_is_fresh || apt_update
}

apt_is_fresh() { [[ -n $(find "$own_apt/refreshed" -mmin -1440 2>/dev/null) ]]; }

apt_update()
{
	local lock
	mkdir -p "$own_apt"/{lists,cache/archives}/partial
	exec {lock}>"$own_apt/lock"
	flock "$lock"
	say "refreshing the package lists"
	apt_write_conf
	apt_write_sources
	apt-get -c "$own_apt/apt.conf" -qq update >&2 ||
		say "cannot refresh the package lists; going on with what is here"
	touch "$own_apt/refreshed"
	exec {lock}>&-
}

# make_for KERNEL: sets for_kernel to the arguments by which make builds for it
# shellcheck disable=SC2034
make_for()
{
	case $1 in
	uml*) for_kernel=(ARCH=um) ;;
	clang) for_kernel=(LLVM=1) ;;
	i386) for_kernel=(ARCH=i386) ;;
	arm64*) for_kernel=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-) ;;
	*) for_kernel=() ;;
	esac
}

# use_kernel NAME: sets kernel to its folder, which stays as long as we run
use_kernel()
{
	kernel=$("$root/tools/vm/kernel" "$1")
	exec {kernel_in_use}<"$kernel/origin"
	flock -s "$kernel_in_use"
}
