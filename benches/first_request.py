#!/usr/bin/env python3
"""What it costs to ask AWS the first question: from the start of the process to an answer, credentials and client made new.

    cargo build --release && python3 benches/first_request.py [--runs 20]

A server on the loopback answers ListTrainingJobs and Search with empty lists, over HTTP and over TLS with a certificate made
for it; the CPU time of the asking process is what counts. Peers are measured where they are installed: startup.py --peers
puts them under target/bench-peers.
"""

import argparse
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import tempfile
import threading

from measure import SMTRAIN, compare

ANSWERS = {"ListTrainingJobs": {"TrainingJobSummaries": []}, "Search": {"Results": []}}
BOTO3 = "import boto3; boto3.client('sagemaker', region_name='eu-west-1').list_training_jobs()"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        operation = self.headers["x-amz-target"].split(".")[-1]
        body = json.dumps(ANSWERS[operation]).encode()
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(certificate=None):
    """The URL of a new server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"{'https' if certificate else 'http'}://localhost:{server.server_port}"


def make_certificate(folder):
    """A certificate for localhost with its key, and the file of all authorities that a computer trusts, with its issuer."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    new_key = ["-newkey", "rsa:2048", "-nodes"]
    openssl("req", "-x509", *new_key, "-days", "2", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=benchmark")
    openssl("req", *new_key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    signed_by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
    openssl("x509", "-req", "-in", "request.pem", *signed_by, "-days", "2", "-extfile", "names", "-out", "cert.pem")
    trusted = [ssl.get_default_verify_paths().cafile, folder / "ca.pem"]
    texts = [pathlib.Path(file).read_text() for file in trusted if file and pathlib.Path(file).exists()]
    (folder / "bundle.pem").write_text("\n".join(texts))
    return (folder / "cert.pem", folder / "key.pem"), str(folder / "bundle.pem")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    peers = pathlib.Path("target/bench-peers").absolute() / "bin"
    os.environ["PATH"] = f"{peers}:{os.environ['PATH']}"
    commands = {
        "smtrain history": (SMTRAIN, f"exec {SMTRAIN} --quiet history"),
        "boto3, list_training_jobs": (str(peers / "python"), f'exec {peers}/python -c "{BOTO3}"'),
        "aws sagemaker list-training-jobs": ("aws", "exec aws sagemaker list-training-jobs"),
    }
    with tempfile.TemporaryDirectory() as folder:
        certificate, bundle = make_certificate(pathlib.Path(folder))
        environment = {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_REGION": "eu-west-1",
            "SSL_CERT_FILE": bundle,
            "AWS_CA_BUNDLE": bundle,
            "HOME": folder,
        }
        for title, url in [("first request", serve()), ("first request, over TLS", serve(certificate))]:
            compare(title, commands, runs, {**environment, "AWS_ENDPOINT_URL": url})


if __name__ == "__main__":
    main()
