"""Emotion accuracy, its ceiling and its seven-class form; Emotion-FAN against the published evaluation written out."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from tbd.errors import InputError
from tbd.metrics import CallableEmotionClassifier, EmotionAccuracy, EmotionFAN, TransformersEmotionClassifier, WeightsNotFoundError
from tbd.think.emotions import EMOTIONS, parse_emotion

ORDER = ["Happy", "Angry", "Disgust", "Fear", "Sad", "Neutral", "Surprised", "Contempt"]


def face(emotion: str) -> torch.Tensor:
    """(2, 3, 224, 224): a "face" whose first eight pixels say which emotion it shows."""
    chips = torch.zeros(2, 3, 224, 224, dtype=torch.uint8)
    chips[:, 0, 0, [parse_emotion(name) for name in ORDER].index(emotion)] = 255
    return chips


@pytest.fixture
def classifier():
    return CallableEmotionClassifier(lambda chips: chips[:, 0, 0, :8].float(), ORDER)


def test_every_order_of_labels_is_read_by_name(classifier):
    metric = EmotionAccuracy(classifier)
    for emotion in EMOTIONS:
        metric.update(face(emotion), EMOTIONS.index(emotion))
    assert float(metric.compute()) == 1 and torch.equal(metric.confusion(), torch.eye(len(EMOTIONS), dtype=torch.int64))


def test_confusion_recall_and_ceiling(classifier):
    metric, happy, sad = EmotionAccuracy(classifier), EMOTIONS.index("happy"), EMOTIONS.index("sad")
    metric.update(face("happy"), happy, face("happy"))
    metric.update(face("sad"), happy, face("happy"))
    metric.update(face("sad"), sad, face("happy"))
    metric.update(face("sad"), sad, None)
    assert float(metric.compute()) == 0.75 and float(metric.ceiling()) == pytest.approx(2 / 3)
    assert metric.confusion()[happy, sad] == 1 and metric.recall() == {"happy": 0.5, "sad": 1.0}


def test_seven_classes_leave_contempt_out_and_never_answer_it(classifier):
    metric = EmotionAccuracy(classifier, contempt=False)
    metric.update(face("contempt"), EMOTIONS.index("contempt"))
    assert int(metric.left_out) == 1 and torch.isnan(metric.compute())
    both = face("contempt")
    both[:, 0, 0, ORDER.index("Sad")] = 100
    metric.update(both, EMOTIONS.index("sad"))
    assert float(metric.compute()) == 1
    seven = CallableEmotionClassifier(lambda chips: chips[:, 0, 0, :7].float(), ORDER[:7])
    without = EmotionAccuracy(seven)
    without.update(face("contempt"), EMOTIONS.index("contempt"))
    assert int(without.left_out) == 1


def test_a_clip_without_faces_is_counted(classifier):
    metric = EmotionAccuracy(classifier)
    metric.update(torch.zeros(0, 3, 224, 224, dtype=torch.uint8), 0)
    metric.update(face("angry"), 0, torch.zeros(0, 3, 224, 224, dtype=torch.uint8))
    assert (int(metric.unmeasured), int(metric.matrix.sum())) == (1, 1)


def test_labels_that_are_no_emotions_are_named():
    with pytest.raises(InputError, match="'bored' is no emotion"):
        CallableEmotionClassifier(lambda chips: chips, ["happy", "bored"])


TRAINED_ON = {
    "mead": ORDER,
    "afew": ["Happy", "Angry", "Disgust", "Fear", "Sad", "Neutral", "Surprise"],
    "ck+": ["Happy", "Angry", "Disgust", "Fear", "Sad", "Contempt", "Surprise"],
}
"""`cate2label` of Emotion-FAN's `load.py` (AFEW, CK+) and EAT's `_acc_test.py` (MEAD)."""


def test_weights_of_another_data_set_are_refused(tmp_path):
    torch.save(EmotionFAN(None, dataset="ck+").state_dict(), tmp_path / "ck.pth")
    with pytest.raises(InputError, match="8 classes of mead"):
        EmotionFAN(tmp_path / "ck.pth")
    assert EmotionFAN(tmp_path / "ck.pth", dataset="ck+").emotions[5] == "contempt"


def published_scores(state: dict, faces: torch.Tensor, relation: bool) -> torch.Tensor:
    """The evaluation of Emotion-FAN's `fan_afew_traintest.py` and EAT's `_acc_test.py` for one clip, on its weights: features
    and α by frame; their mean; β of both; Σ α [f, v] over Σ α β."""
    trunk = resnet18()
    trunk.fc = nn.Identity()
    trunk.load_state_dict(
        {key: value for key, value in state.items() if key.split(".")[0] not in ("alpha", "beta", "pred_fc1", "pred_fc2")}
    )

    def linear(name, x):
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    f = trunk.eval()(faces / 255)
    alpha = torch.sigmoid(linear("alpha.0", f))
    index = torch.ones(1, len(f))
    mean = index.mm(f * alpha).div(index.mm(alpha))
    if not relation:
        return linear("pred_fc1", mean)[0].softmax(0)
    both = torch.cat([f, index.T.mm(mean)], 1)
    beta = torch.sigmoid(linear("beta.0", both))
    return linear("pred_fc2", index.mm(both * alpha).div(index.mm(alpha * beta)))[0].softmax(0)


@pytest.mark.parametrize(("attention", "dataset"), [("relation", "mead"), ("self", "afew"), ("relation", "ck+")])
def test_emotion_fan_is_the_published_evaluation(attention, dataset, tmp_path):
    torch.manual_seed(0)
    network = EmotionFAN(None, attention, dataset)
    with torch.no_grad():
        for name in ("alpha", "beta"):  # frames that differ in weight, well away from 0 and 1
            getattr(network, name)[0].weight.mul_(5)
    state = {f"module.{key}": value for key, value in network.state_dict().items()} | {"module.fc.weight": torch.zeros(1)}
    torch.save({"epoch": 61, "state_dict": state, "accuracy": 84.3655}, tmp_path / "checkpoint")
    loaded = EmotionFAN(tmp_path / "checkpoint", attention, dataset, batch_size=2)
    faces = torch.randint(0, 256, (5, 3, 224, 224), dtype=torch.uint8)
    with torch.no_grad():
        found = loaded.scores(faces)
        expected = published_scores(network.state_dict(), faces, attention == "relation")
    assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-5)
    assert loaded.emotions == tuple(parse_emotion(name) for name in TRAINED_ON[dataset])
    assert float(found.std()) > 0.01, "scores that say something"
    if attention == "relation":
        with torch.no_grad():
            f = network.features(faces / 255)
            spread = [network.alpha(f), network.beta(torch.cat([f, f], 1))]
        assert all(float(x.min()) > 0.02 and float(x.max()) < 0.98 for x in spread), "saturated weights would hide a missing one"


def test_emotion_fan_without_its_weights():
    with pytest.raises(WeightsNotFoundError) as error:
        EmotionFAN()
    assert error.value.name == "emotion-fan-mead"


def test_an_image_classifier_of_transformers_from_a_folder(tmp_path):
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    labels = dict(enumerate(["anger", "happiness", "Surprise"]))
    config = ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=16,
                       id2label=labels, label2id={v: k for k, v in labels.items()})  # fmt: skip
    torch.manual_seed(0)
    ViTForImageClassification(config).save_pretrained(tmp_path)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    classifier = TransformersEmotionClassifier(str(tmp_path), batch_size=2)
    assert classifier.emotions == ("angry", "happy", "surprised")
    faces = torch.randint(0, 256, (5, 3, 224, 224), dtype=torch.uint8)
    with torch.no_grad():
        found, single = classifier.scores(faces), torch.stack([classifier.scores(faces[i : i + 1]) for i in range(5)])
    assert float(found.sum()) == pytest.approx(1) and torch.allclose(found, single.mean(0), atol=1e-6)
    with pytest.raises(WeightsNotFoundError) as error:
        TransformersEmotionClassifier(str(tmp_path / "nowhere"))
    assert error.value.command.startswith("hf download")
