"""PostgreSQL under Patroni: three nodes on loopback, one of them primary, one its synchronous standby; etcd beside. Every node
reaches etcd through a relay of its own, so that one of them can be cut off."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

from keeper import USER, as_user
from postgres import binaries
from relay import Relay, listen_tcp
from stack import TREE, Failed, free_ports, until

NODES = ["n1", "n2", "n3"]
TTL = 20  # seconds; Patroni takes no less
YAML = """scope: aftercare
name: {name}
restapi: {{listen: "127.0.0.1:{rest}", connect_address: "127.0.0.1:{rest}"}}
etcd3: {{hosts: ["127.0.0.1:{etcd}"], use_proxies: true}}
bootstrap:
  dcs:
    ttl: {ttl}
    loop_wait: 2
    retry_timeout: 3
    maximum_lag_on_failover: 16777216
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 80
        shared_buffers: 64MB
        max_wal_size: 256MB
        wal_keep_size: 128MB
        wal_log_hints: "on"
        jit: "off"
        timezone: UTC
        log_min_messages: warning
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, {{auth: trust}}]
postgresql:
  listen: "127.0.0.1:{port}"
  connect_address: "127.0.0.1:{port}"
  data_dir: {folder}/pg
  bin_dir: {bin}
  pgpass: {folder}/pgpass
  authentication:
    superuser: {{username: postgres, password: any}}
    replication: {{username: replicator, password: any}}
  parameters: {{unix_socket_directories: {folder}}}
  pg_hba: ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
watchdog: {{mode: "off"}}
"""


def missing():
    """Why there can be no such cluster here; "": it can."""
    for program in ("patroni", "etcd"):
        if shutil.which(program) is None:
            return f"no {program} here: deploy/install-deps cluster"
    return ""


def pids_below(folder):
    """Processes whose command line names the folder."""
    found = []
    for proc in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (proc / "cmdline").read_bytes():
                found.append(int(proc.name))
        except OSError:
            pass
    return found


class Node:
    def __init__(self, cluster, name, port, rest):
        self.cluster, self.name, self.port, self.rest = cluster, name, port, rest
        self.folder = cluster.folder / name
        self.process = None
        self.folder.mkdir()
        self.reaches_etcd = True
        self.line = Relay(listen_tcp(), self.etcd_port)
        self.yaml = self.folder / "patroni.yaml"
        self.yaml.write_text(YAML.format(name=name, rest=rest, etcd=self.line.port, ttl=TTL, port=port, folder=self.folder,
                                         bin=binaries()))
        if USER:
            shutil.chown(self.folder, USER)

    def start(self):
        with open(self.folder / "patroni.log", "ab") as log:
            self.process = subprocess.Popen(as_user("/usr/bin/patroni", self.yaml), cwd="/", stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C.UTF-8"})

    def etcd_port(self):
        return self.cluster.etcd_client if self.reaches_etcd else 1  # where nobody listens

    def cut_off(self, cut):
        self.reaches_etcd = not cut
        self.line.cut(reset=True)

    def ask(self, path, body=None, timeout=2):
        """(code, text); code 0: it does not answer."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.rest}{path}", data=data)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as why:
            return why.code, why.read().decode()
        except OSError:
            return 0, ""

    def role(self):
        for path in ("primary", "synchronous", "replica"):
            if self.ask(f"/{path}")[0] == 200:
                return path
        return ""

    def postmaster(self):
        try:
            return int((self.folder / "pg" / "postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return None

    def kill(self):
        """The node is gone: Patroni and PostgreSQL, kill -9, every process of it."""
        pids = [self.process.pid] if self.process is not None and self.process.poll() is None else []
        postmaster = self.postmaster()
        backends = self.backends()
        for pid in [*pids, *([postmaster] if postmaster else []), *backends]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process is not None:
            self.process.wait(10)

    def backends(self, what=""):
        """Children of its postmaster; those whose title says so."""
        postmaster, found = self.postmaster(), []
        for proc in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                stat = (proc / "stat").read_text()
                title = (proc / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if int(stat.rsplit(")", 1)[1].split()[1]) == postmaster and what in title:
                found.append(int(proc.name))
        return found

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                pass
        self.kill()
        self.line.stop()


class Cluster:
    """Looks to its user as postgres.Postgres does."""

    def __init__(self, folder):
        self.folder = folder
        if USER:
            shutil.chown(folder, USER)
        ports = free_ports(8)
        self.etcd_client, self.etcd_peer = ports[:2]
        self.etcd, self.nodes = None, []
        self.made = False
        for i, name in enumerate(NODES):
            self.nodes.append(Node(self, name, ports[2 + i], ports[5 + i]))

    # --- life
    def make(self, workers):
        why = missing()
        if why:
            raise Failed(why)
        with open(self.folder / "etcd.log", "ab") as log:
            client, peer = (f"http://127.0.0.1:{p}" for p in (self.etcd_client, self.etcd_peer))
            self.etcd = subprocess.Popen(as_user("/usr/bin/etcd", "--name", "e", "--data-dir", self.folder / "etcd",
                                                 "--listen-client-urls", client, "--advertise-client-urls", client,
                                                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                                                 "--initial-cluster", f"e={peer}"), cwd="/", stdout=log, stderr=log)
        for node in self.nodes:
            node.start()
        until("a primary and its synchronous standby", self.is_whole, 120)
        self.sql("CREATE DATABASE aftercare ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0", "postgres")
        # libpq asks one host after the other, and takes "there is no such database" for the last word.
        until("the database is on every node", self.is_everywhere, 30)
        done = subprocess.run(as_user(binaries() / "psql", "-X", "-q", "-d", self.dsn("postgres"), "-v", "ON_ERROR_STOP=1", "-v",
                                      "pass=any", "-f", "-"), input=(TREE / "deploy/images/prepare.sql").read_text(), text=True,
                              capture_output=True, cwd="/")
        if done.returncode != 0:
            raise Failed(done.stderr)
        self.made = True

    def stop(self):
        for node in self.nodes:
            node.stop()
        if self.etcd is not None:
            self.etcd.kill()
            self.etcd.wait()

    def tend(self):
        pass

    # --- what it is
    def dsn(self, role, database="aftercare"):
        ports = ",".join(str(n.port) for n in self.nodes)
        return (f"host=127.0.0.1,127.0.0.1,127.0.0.1 port={ports} user={role} dbname={database} target_session_attrs=read-write"
                " connect_timeout=3")

    def roles(self):
        return {node.name: node.role() for node in self.nodes}

    def node(self, role):
        return next((node for node in self.nodes if node.role() == role), None)

    def is_whole(self):
        roles = sorted(self.roles().values())
        return roles == ["primary", "replica", "synchronous"]

    def is_everywhere(self):
        return all(subprocess.run(as_user(binaries() / "psql", "-X", "-q", "-h", "127.0.0.1", "-p", node.port, "-U", "postgres", "-d",
                                          "aftercare", "-c", "SELECT 1"), cwd="/", capture_output=True).returncode == 0
                   for node in self.nodes)

    def answers(self):
        return self.node("primary") is not None

    def sql(self, query, database="aftercare", timeout=60):
        done = subprocess.run(as_user(binaries() / "psql", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d",
                                      self.dsn("postgres", database), "-c", query), cwd="/", capture_output=True, text=True,
                              timeout=timeout)
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    # --- what may befall it
    def switch_over(self):
        primary = self.node("primary")
        code, said = primary.ask("/switchover", {"leader": primary.name}, timeout=30)
        if code != 200:
            raise Failed(f"switchover: {code} {said}")

    def wait_whole(self, seconds=120):
        until("every node is back", self.is_whole, seconds)

    def wait_other(self, before, seconds=90):
        """Another one is primary; its name."""
        def other():
            node = self.node("primary")
            return node is not None and node.name != before and node
        return until(f"another primary than {before}", other, seconds)


def main(words):
    """tests/faults/patroni"""
    folder = pathlib.Path(words[0])
    folder.mkdir(parents=True)
    cluster = Cluster(folder)
    try:
        cluster.make([])
        print(f"dsn: {cluster.dsn('ROLE')}")
        for node in cluster.nodes:
            print(f"{node.name}: {node.role()}, port {node.port}, http://127.0.0.1:{node.rest}/cluster, {node.folder}")
        print("ends with Ctrl-C", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        cluster.stop()
