"""Models as folders of JSON and safetensors; cards about them; hubs, on request."""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "from_pretrained": "hub",
        "load": "models",
        "model_card": "cards",
        "push_to_hub": "hub",
        "read_metadata": "models",
        "save": "models",
        "tells_enough": "cards",
    },
)
