"""Trains the `digits` model: a small convolutional network over images of 8 by 8 grey levels.

    python digits.py --output ../../models

Data: digits as scikit-learn ships it; nothing is read from `--data`. The input is `[N, 1, 8, 8]` with levels from 0
to 16. The network ends in raw logits, as PyTorch classifiers do for training, so the export wraps it: a softmax for
the probabilities and the best class as the label.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

from repository import arguments, case, write_version

SEED = 2026
EPOCHS = 60


class Classifier(nn.Module):
    """The trained network with the two outputs that a caller wants."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits = self.network(image / 16.0)
        return logits.argmax(dim=1), logits.softmax(dim=1)


def train(images: torch.Tensor, digits: torch.Tensor) -> nn.Module:
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(128, 10),
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images[rows] / 16.0), digits[rows]).backward()
            optimizer.step()
    return network.eval()


def main() -> None:
    options = arguments("digits")
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    table = load_digits()
    images = torch.tensor(table.images, dtype=torch.float32).unsqueeze(1)
    digits = torch.tensor(table.target)
    model = Classifier(train(images[:1500], digits[:1500])).eval()

    exported = torch.onnx.export(
        model,
        (images[:2],),
        input_names=["image"],
        output_names=["label", "probabilities"],
        dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
        dynamo=True,
        verbose=False,
    ).model_proto
    # The exporter notes for each node the source line that made it: paths of this machine, of no use to a server.
    for node in exported.graph.node:
        del node.metadata_props[:]

    @torch.no_grad()
    def golden(rows: list[int]) -> dict:
        label, probabilities = model(images[rows])
        outputs = {"label": label.numpy(), "probabilities": probabilities.numpy()}
        return case({"image": images[rows].numpy()}, outputs, tolerance=(1e-5, 1e-4))

    with torch.no_grad():
        right = (model(images[1500:])[0] == digits[1500:]).float().mean()
    print(f"held-out accuracy {right:.3f}")
    # Rows from 1500 on were not trained on.
    cases = [golden([1500]), golden([1501, 1502, 1503, 1504, 1505]), golden([1570, 1611, 1658, 1790])]
    write_version(options.output, "digits", exported, cases)


if __name__ == "__main__":
    main()
