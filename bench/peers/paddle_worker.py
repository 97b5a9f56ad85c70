"""Measures PaddlePaddle. Variants: dygraph; static (paddle.jit.to_static); predictor (paddle.inference), inference only.

The first two know float32 alone on CPUs: paddle.amp.auto_cast says that it has no effect there. They call no kernel of
oneDNN either, with any value of FLAGS_use_onednn (ONEDNN_VERBOSE=1 shows it); the predictor does.
"""

import os
import tempfile

import paddle
from networks import input_of, network, outputs_of
from paddle import nn
from paddle_kit import kit, optimizer_of
from worker import arguments, serve


def training_step(args, net, model, images):
    name, outputs = args.network, outputs_of(args.network)
    if outputs == 1:
        compute, labels = nn.BCEWithLogitsLoss(), paddle.randint(0, 2, [args.batch, 1]).astype("float32")
    else:
        compute, labels = nn.CrossEntropyLoss(), paddle.randint(0, outputs, [args.batch])
    optimizer = optimizer_of(name, net.parameters())

    def step():
        loss = compute(model(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return float(loss)

    return step


def predictor_step(args, net, images):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/net"
        spec = paddle.static.InputSpec(images.shape, "float32")
        paddle.jit.save(paddle.jit.to_static(net), path, input_spec=[spec])
        config = paddle.inference.Config(f"{path}.json", f"{path}.pdiparams")
        config.disable_gpu()
        config.set_cpu_math_library_num_threads(args.threads)
        config.enable_mkldnn()
        if args.precision == "bf16":
            config.enable_mkldnn_bfloat16()
        predictor = paddle.inference.create_predictor(config)
    source = predictor.get_input_handle(predictor.get_input_names()[0])
    result = predictor.get_output_handle(predictor.get_output_names()[0])
    pixels = images.numpy()

    def step():
        source.copy_from_cpu(pixels)
        predictor.run()
        return result.copy_to_cpu()

    return step


def make_step(args):
    paddle.seed(0)
    net = network(args.network, kit)
    images = paddle.rand([args.batch, *input_of(args.network)])
    training = args.mode == "train"
    net.train() if training else net.eval()
    if args.variant == "predictor":
        return predictor_step(args, net, images)
    model = paddle.jit.to_static(net) if args.variant == "static" else net
    if training:
        return training_step(args, net, model, images)

    def infer():
        with paddle.no_grad():
            return model(images).numpy()

    return infer


def main():
    args = arguments()
    if args.precision == "bf16" and args.variant != "predictor":
        raise SystemExit(f"PaddlePaddle computes in float32 on CPUs in the variant {args.variant}")
    paddle.set_device("cpu")
    serve(lambda: make_step(args), paddle.__version__)


main()
