"""The networks of `keras.applications`, named without importing Keras, as configurations are checked."""

NETWORKS = (
    *("ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge"),
    *("DenseNet121", "DenseNet169", "DenseNet201"),
    *(f"EfficientNetB{size}" for size in range(8)),
    *("EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3"),
    *("EfficientNetV2L", "EfficientNetV2M", "EfficientNetV2S"),
    *("InceptionResNetV2", "InceptionV3"),
    *("MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small"),
    *("NASNetLarge", "NASNetMobile"),
    *("ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"),
    *("VGG16", "VGG19", "Xception"),
)

LAYERS = {"vgg16": 19, "vgg19": 22}
"""Layers of a network without its classifier, the input among them, by its name in lower case; those of others depend
on their options."""

TORCHVISION = "torchvision."
"""What the names of networks begin with that are as torchvision builds them."""
RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
