"""Weights of matterport's Mask_RCNN (2017): their ResNet, their conventions, their files."""
