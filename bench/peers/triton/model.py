"""A model of Triton's Python backend: requests that Triton gathered are one run of ONNX Runtime, with one thread."""

import json

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        path = config["parameters"]["model"]["string_value"]
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = config["input"][0]["name"]
        self.output = config["output"][0]["name"]

    def execute(self, requests):
        rows = [pb_utils.get_input_tensor_by_name(request, self.input).as_numpy() for request in requests]
        batch = rows[0] if len(rows) == 1 else np.concatenate(rows)
        (scores,) = self.session.run([self.output], {self.input: batch})
        answers = []
        first = 0
        for one in rows:
            own = scores[first : first + len(one)]
            first += len(one)
            answers.append(pb_utils.InferenceResponse([pb_utils.Tensor(self.output, own)]))
        return answers
