#!/usr/bin/env bash
# A cluster on this machine: one node whose GPU is pretended, with the partitions that profiles/slurm names.
#   cluster.sh install    fetch SLURM and munge by apt-get (Debian, Ubuntu)
#   cluster.sh up         write /etc/slurm and start the daemons
#   cluster.sh down       stop them and remove what `up` wrote
# Each as root. An /etc/slurm that is not of this script's making is left alone.
set -euo pipefail

MADE_BY="# Written by tests/slurm/cluster.sh"
CONF=/etc/slurm # not SLURM_CONF: jobs that Snakemake starts inside of a job do not inherit it
STATE=/tmp/multilabel-slurm
NODE=$(hostname -s)

fail() {
    echo "cluster.sh: $*" >&2
    exit 1
}

install_packages() {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends slurmctld slurmd slurm-client munge
}

configure() {
    mkdir -p "$CONF" "$STATE"/{ctld,d}
    # Cores and memory are pretended too (config_overrides): the rules ask for what the paper's full size needs.
    cat >"$CONF/slurm.conf" <<END
$MADE_BY
ClusterName=multilabel
SlurmctldHost=$NODE(127.0.0.1)
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPidFile=$STATE/slurmctld.pid
SlurmdPidFile=$STATE/slurmd.pid
SlurmctldLogFile=$STATE/slurmctld.log
SlurmdLogFile=$STATE/slurmd.log
StateSaveLocation=$STATE/ctld
SlurmdSpoolDir=$STATE/d
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
# No number twice: what still runs of an earlier cluster tells this one when it ends.
FirstJobId=$((RANDOM + 1))
# Jobs that ended stay in squeue this long.
MinJobAge=600
# No waiting for jobs that come together.
SchedulerParameters=batch_sched_delay=0,sched_interval=2
NodeName=$NODE NodeAddr=127.0.0.1 CPUs=4 RealMemory=100000 Gres=gpu:1
PartitionName=cpu Nodes=$NODE Default=YES
PartitionName=gpu Nodes=$NODE
END
    # With Count=1 in place of a file the node would be invalid.
    echo "Name=gpu File=/dev/null" >"$CONF/gres.conf"
}

up() {
    for program in slurmctld slurmd sbatch munged; do
        command -v "$program" >/dev/null || fail "$program is not installed: $0 install"
    done
    if [ -e "$CONF/slurm.conf" ] && ! grep -q "^$MADE_BY" "$CONF/slurm.conf"; then
        fail "$CONF/slurm.conf belongs to another cluster"
    fi
    down
    configure
    # SLURM does not bind to 127.0.0.1 where that is the only address.
    if ! ip -4 -oneline address | grep -qv ' 127\.0\.0\.1/'; then
        ip address add 127.0.0.2/8 dev lo
    fi
    if ! munge --no-input >/dev/null 2>&1; then
        install -d -o munge -g munge /run/munge
        runuser --user munge -- munged
        touch "$STATE/munged"
    fi
    slurmctld
    slurmd
    local end=$((SECONDS + 30))
    while [ $SECONDS -lt $end ]; do
        [ "$(timeout 2 sinfo --noheader --partition gpu --format %T 2>/dev/null)" = idle ] && return
        sleep 0.2
    done
    tail -n 20 "$STATE"/*.log >&2
    down
    fail "the node did not become idle: see the logs above"
}

down() {
    local daemon pid
    if grep -qs "^$MADE_BY" "$CONF/slurm.conf"; then timeout 5 scancel --user "$(id -un)" || true; fi
    for daemon in slurmd slurmctld; do
        [ -e "$STATE/$daemon.pid" ] || continue
        pid=$(cat "$STATE/$daemon.pid")
        [ "$(ps --no-headers -o comm -p "$pid")" = "$daemon" ] || continue # it ended; another may have its number
        kill "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    done
    if [ -e "$STATE/munged" ]; then runuser --user munge -- munged --stop >/dev/null; fi
    if grep -qs "^$MADE_BY" "$CONF/slurm.conf"; then rm -f "$CONF"/{slurm,gres}.conf; fi
    rm -rf "$STATE"
}

[ "$(id -u)" = 0 ] || fail "needs to be root"
case ${1:-} in
    install) install_packages ;;
    up | down) "$1" ;;
    *) fail "say what: $0 install | up | down" ;;
esac
