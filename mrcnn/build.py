"""The class of network that a config asks for."""

from mrcnn.matterport.network import MatterportNetwork
from mrcnn.network import Network

NETWORKS = {network.backbone_kind: network for network in (Network, MatterportNetwork)}


def build_network(config):
    """A network with random weights.

    Args:
        config: `mrcnn.config.Config`.

    Returns:
        `mrcnn.network.Network`; for a ResNet its subclass `mrcnn.matterport.network.MatterportNetwork`.

    Raises:
        ValueError: if there is no such backbone.
    """
    if config.backbone not in NETWORKS:
        raise ValueError(f"the backbone is {config.backbone!r}, expected one of {', '.join(NETWORKS)}")
    return NETWORKS[config.backbone](config)
