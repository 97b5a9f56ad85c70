"""Writes a network for onnxruntime, batch norms folded into convolutions: export_onnx.py NETWORK BATCH FILE"""

import sys

import torch
from networks import input_of, network
from torch_worker import kit

name, batch, file = sys.argv[1:]
torch.manual_seed(0)
net = network(name, kit).eval()
images = torch.rand(int(batch), *input_of(name))
torch.onnx.export(net, (images,), file, input_names=["images"], output_names=["outputs"], dynamo=False)
