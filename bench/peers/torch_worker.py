"""Measures PyTorch. A variant is some of these, joined by _: eager, compile or (in inference) torchscript; channels_last;
bfloat16, which shortens the parameters themselves, once, where autocast does it in every call."""

import importlib
from types import SimpleNamespace

import torch
import torch._inductor.config as inductor
from networks import DECAYS, LEARNING_RATE, ZOO, input_of, network, outputs_of
from torch import nn

kit = SimpleNamespace(
    Module=nn.Module,
    Sequential=nn.Sequential,
    conv=lambda i, o, kernel, stride=1, padding=0, bias=True: nn.Conv2d(i, o, kernel, stride, padding, bias=bias),
    norm=nn.BatchNorm2d,
    linear=nn.Linear,
    relu=nn.ReLU,
    sigmoid=nn.Sigmoid,
    dropout=nn.Dropout,
    max_pool=lambda size, stride, padding=0: nn.MaxPool2d(size, stride, padding),
    average=lambda: nn.AdaptiveAvgPool2d(1),
    flatten=nn.Flatten,
    concat=torch.cat,
)


def of_torchvision(name):
    """The network of that name, without its auxiliary classifier."""
    models = importlib.import_module("torchvision.models")
    classes = outputs_of(name)
    if name == "vit_s_16":  # torchvision has the layers, but not this size
        return models.VisionTransformer(224, 16, 12, 6, 384, 1536, num_classes=classes)
    extra = {"aux_logits": False, "init_weights": False} if name == "inception_v3" else {}
    return getattr(models, name)(num_classes=classes, **extra)


def training_step(net, forward, images, name):
    outputs, batch = outputs_of(name), len(images)
    if outputs == 1:
        compute, labels = nn.BCEWithLogitsLoss(), torch.randint(0, 2, (batch, 1)).float()
    else:
        compute, labels = nn.CrossEntropyLoss(), torch.randint(0, outputs, (batch,))
    if name == "alexnet":
        optimizer = torch.optim.Adam(net.parameters(), LEARNING_RATE, fused=True)
    else:
        decay = DECAYS.get(name, 0)
        optimizer = torch.optim.SGD(net.parameters(), LEARNING_RATE, momentum=0.9, weight_decay=decay, fused=True)

    def step():
        loss = compute(forward(images).float(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def make_step(args):
    torch.manual_seed(0)
    training, variant = args.mode == "train", args.variant
    net = of_torchvision(args.network) if args.network in ZOO else network(args.network, kit)
    net = net.train(training)
    images = torch.rand(args.batch, *input_of(args.network))
    short = "bfloat16" in variant
    if short:
        net = net.bfloat16()
    if "channels_last" in variant:
        net, images = net.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    # Cached casts of parameters are variables, which a frozen graph must not hold.
    cache, casting = "torchscript" not in variant, args.precision == "bf16" and not short
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=casting, cache_enabled=cache)
    model = net
    if "torchscript" in variant:
        with torch.no_grad(), autocast:
            example = images.bfloat16() if short else images
            model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, example)))
    elif "compile" in variant:
        # Parameters become constants, so that batch norms are folded and weights are packed ahead.
        inductor.freezing = not training
        model = torch.compile(net)

    def forward(x):
        with autocast:
            return model(x.bfloat16() if short else x)

    def infer():
        with torch.no_grad():
            return forward(images).float().numpy()

    step = training_step(net, forward, images, args.network) if training else infer
    if "compile" in variant:
        step()  # compiles, while others get ready too
    return step


def main():
    from worker import arguments, serve

    args = arguments()
    if "compile" in args.variant:
        # It would come with the first step otherwise, and count as memory of the step.
        importlib.import_module("torch._inductor.compile_fx")

    if args.network in ZOO:
        importlib.import_module("torchvision.models")
    torch.set_num_threads(args.threads)
    serve(lambda: make_step(args), torch.__version__)


if __name__ == "__main__":
    main()
