"""What is classified: where images and labels lie, and how they are split."""

from typing import Literal

from pydantic import Field, model_validator

from multilabel.config.sections import Fraction, Name, Section, Seed


class Source(Section):
    """One split as it lies on disk in COCO's format."""

    images: str = Field("", description="folder of the images")
    annotations: str = Field("", description="JSON file in COCO's format (images, annotations, categories)")


class TestSource(Source):
    """The test split: files of its own, or a part of train."""

    fraction: Fraction = Field(0.0, description="share of train that is held out for testing; 0: the files above")
    seed: Seed = Field(0, description="which images are held out")


class Validation(Section):
    """The split for early stopping, the choice of the final model and thresholds."""

    fraction: Fraction = Field(0.0, description="share of train; 0: the test split, as in the paper")
    seed: Seed = Field(0, description="which images are held out")


class Shapes(Section):
    """The generated dataset of `kind: shapes`."""

    train: int = Field(4000, ge=20, description="scenes for training")
    test: int = Field(400, ge=20, description="scenes for testing")
    single_objects: int = Field(16000, ge=20, description="images of one object, on which `weights: pretrain` trains")
    single_size: int = Field(
        32, ge=32, le=512, description="their height and width: an object fills them as one of a scene fills its place"
    )
    size: int = Field(64, ge=32, le=512, description="height and width in pixels")
    seed: Seed = Field(0, description="which scenes are drawn")


class Dataset(Section):
    """What is classified."""

    name: Name = Field("coco", description="first field of every run name")
    subset: Name = Field("2017", description="second field of every run name")
    kind: Literal["coco", "csv", "msrc", "scene", "shapes", "voc"] = Field(
        "coco",
        description="what the paths below hold: coco: COCO's format; csv: a table of file names and labels; "
        "msrc: MSRC v2, scene: Scene, as published; voc: PASCAL VOC, an image set of a VOCdevkit, "
        "such as VOC2007/ImageSets/Main/trainval.txt; shapes: no paths, generated for the demo",
    )
    train: Source = Source(
        images="resources/coco_2017/train2017",
        annotations="resources/coco_2017/annotations/instances_train2017.json",
    )
    test: TestSource = TestSource(
        images="resources/coco_2017/val2017",
        annotations="resources/coco_2017/annotations/instances_val2017.json",
    )
    validation: Validation = Validation()
    crowds: bool = Field(False, description="count crowd annotations (iscrowd: 1) as labels; the author did not")
    difficult: Literal["present", "absent", "ignore"] = Field(
        "present",
        description="kind voc: what objects count as that are hard to recognise; ignore: the challenge's rule, such a "
        "pair of image and class counts neither in training nor in any metric",
    )
    damaged_images: Literal["stop", "skip"] = Field(
        "stop", description="stop: list all damaged or missing images; skip: leave them out and record them"
    )
    exif_orientation: Literal["auto", "apply", "ignore"] = Field(
        "auto",
        description="turn images as their EXIF says; auto: yes, but not those of a published dataset (coco_2017, "
        "coco_2014, voc_2007, voc_2012), which the papers did not turn",
    )
    shapes: Shapes = Shapes()

    @model_validator(mode="after")
    def _sources_are_complete(self) -> "Dataset":
        if self.kind != "shapes":
            for key, value in [("train.images", self.train.images), ("train.annotations", self.train.annotations)]:
                if not value:
                    raise ValueError(f"{key} is empty; kind {self.kind} needs it")
            if not self.test.fraction and not (self.test.images and self.test.annotations):
                raise ValueError("test needs images and annotations, or a fraction of train above 0")
            default = type(self).model_fields
            if not self.test.fraction and (
                self.test.images == default["test"].default.images and self.train != default["train"].default
            ):
                raise ValueError("test is still that of COCO 2017; it needs images and annotations, or a fraction")
        if self.test.fraction + self.validation.fraction >= 1:
            raise ValueError("test.fraction and validation.fraction leave nothing of train; their sum must be below 1")
        return self


class Labels(Section):
    """What the networks are trained to give. Decisions and metrics are about labels that are there or not."""

    kind: Literal["presence", "coverage"] = Field(
        "presence",
        description="presence: 0 or 1; coverage: the share of the image that the class covers (section 6.3)",
    )
