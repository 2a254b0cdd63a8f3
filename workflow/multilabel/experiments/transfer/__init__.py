"""VGG16 transferred to many labels in two stages (Maddox 2017): the main experiment."""
