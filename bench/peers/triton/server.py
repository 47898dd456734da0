"""Triton with its Python backend, as the wheel of nvidia-pytriton has both, over the model `lr30`; batches are gathered without a delay.

Arguments: the model's file, and grpc or http, whose port is printed once the model is ready. This process becomes Triton.
"""

import os
import pathlib
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request

import pytriton

CONFIG = """
name: "lr30"
backend: "python"
max_batch_size: 256
input { name: "features" data_type: TYPE_FP32 dims: [ 30 ] }
output { name: "score" data_type: TYPE_FP32 dims: [ 1 ] }
instance_group { kind: KIND_CPU count: 1 }
dynamic_batching { }
parameters { key: "model" value { string_value: "%s" } }
"""

model_file, protocol = sys.argv[1:]
package = pathlib.Path(pytriton.__file__).parent
here = pathlib.Path(__file__).parent
repository = pathlib.Path(tempfile.mkdtemp(prefix="assay-triton-"))
(repository / "lr30" / "1").mkdir(parents=True)
(repository / "lr30" / "config.pbtxt").write_text(CONFIG % os.path.abspath(model_file))
shutil.copy(here / "model.py", repository / "lr30" / "1")

# The backend starts Python by a stub of this version, which lies beside those of others.
backends = repository.with_name(repository.name + "-backends")
shutil.copytree(package / "tritonserver" / "backends", backends)
version = f"{sys.version_info.major}.{sys.version_info.minor}"
stub = backends / "python" / "triton_python_backend_stub"
shutil.copy(package / "tritonserver" / "python_backend_stubs" / version / stub.name, stub)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


ports = {"grpc": free_port(), "http": free_port()}


def tell_port(parent):
    """Waits for the model and prints the port; ends with the process that became Triton."""
    for _ in range(600):
        if os.getppid() != parent:
            return
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{ports['http']}/v2/models/lr30/ready")
            print(ports[protocol], flush=True)
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    print("Triton was not ready within 60 s", file=sys.stderr)


triton = os.getpid()
if os.fork() == 0:
    tell_port(triton)
    shutil.rmtree(repository)
    shutil.rmtree(backends)
    os._exit(0)

quiet = os.open(os.devnull, os.O_WRONLY)
os.dup2(quiet, 1)
os.dup2(quiet, 2)
paths = [str(package.parent / "nvidia_pytriton.libs"), os.environ.get("LD_LIBRARY_PATH", "")]
environment = dict(os.environ, LD_LIBRARY_PATH=":".join(path for path in paths if path))
# The stub takes the packages of the first Python that it finds.
environment["PATH"] = f"{sys.prefix}/bin:{os.environ['PATH']}"
server = package / "tritonserver" / "bin" / "tritonserver"
flags = [
    f"--model-repository={repository}",
    f"--backend-directory={backends}",
    "--http-address=127.0.0.1",
    "--grpc-address=127.0.0.1",
    f"--http-port={ports['http']}",
    f"--grpc-port={ports['grpc']}",
    "--allow-metrics=false",
    "--log-error=false",
    "--log-warning=false",
    "--log-info=false",
]
os.execve(server, [str(server), *flags], environment)
