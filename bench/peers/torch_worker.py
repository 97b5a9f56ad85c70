"""Measures PyTorch. Variants: eager, channels_last, compile, compile_channels_last; torchscript in inference."""

from types import SimpleNamespace

import torch
from networks import DECAYS, LEARNING_RATE, input_of, network, outputs_of
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


def main():
    from worker import arguments, measure

    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    training = args.mode == "train"
    net = network(args.network, kit).train(training)
    images = torch.rand(args.batch, *input_of(args.network))
    if "channels_last" in args.variant:
        net, images = net.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    # Cached casts of parameters are variables, which a frozen graph must not hold.
    cache = args.variant != "torchscript"
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.precision == "bf16", cache_enabled=cache)
    model = net
    if args.variant == "torchscript":
        with torch.no_grad(), autocast:
            model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, images)))
    elif args.variant.startswith("compile"):
        # Parameters become constants, so that batch norms are folded and weights are packed ahead.
        if not training:
            import torch._inductor.config as inductor

            inductor.freezing = True
        model = torch.compile(net)

    def forward(x):
        with autocast:
            return model(x)

    def infer():
        with torch.no_grad():
            return forward(images).float().numpy()

    step = training_step(net, forward, images, args.network) if training else infer
    measure(step, args, torch.__version__)


if __name__ == "__main__":
    main()
