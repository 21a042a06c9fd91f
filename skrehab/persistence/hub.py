"""Models on a model hub: pushed and fetched only where that is asked for by name.

Only a model's own files travel: ``model.json``, ``weights.safetensors`` and the model card. What
comes is checked for its size before it is fetched, and loaded as any folder is: no code runs.
"""

import os
from contextlib import ExitStack
from pathlib import Path

import skrehab
from skrehab._optional import require
from skrehab.persistence.folder import MAX_CARD_BYTES, MAX_JSON_BYTES, MAX_WEIGHT_BYTES, open_plain
from skrehab.persistence.reading import load, load_files

__all__ = ["FILES", "from_pretrained", "push_to_hub"]

# what belongs to a model, and the most it may have
FILES = {
    "model.json": MAX_JSON_BYTES,
    "weights.safetensors": MAX_WEIGHT_BYTES,
    "README.md": MAX_CARD_BYTES,
}
_NEEDED = ("model.json", "weights.safetensors")


def _hub(purpose):
    """Import huggingface_hub, told first to keep to itself what it runs beside."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    return require("huggingface_hub", "hub", purpose)


def push_to_hub(path, repo_id, *, private=True, token=None, revision=None, endpoint=None):
    """Upload a model folder to a model hub.

    Parameters
    ----------
    path : str or path-like
        A folder written by :func:`skrehab.save`. Other files in it stay where they are.
    repo_id : str
        Repository, ``"owner/name"``; it is made if it is not there.
    private : bool, default=True
        Whether a new repository is private. Models trained on patients are what their consent
        says; think before you publish one.
    token : str, optional
        Access token; without it the one that ``hf auth login`` stored.
    revision : str, optional
        Branch; the main one without it.
    endpoint : str, optional
        Address of another hub than huggingface.co, such as one of your own institution.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    ValueError
        If the folder is not a model that can be loaded, or one of its files is a link.
    RuntimeError
        If the hub refuses, with its reason.

    Examples
    --------
    >>> from skrehab.persistence.hub import push_to_hub
    >>> push_to_hub("models/lean", "our-lab/lean")  # doctest: +SKIP
    """
    hub = _hub("to upload models")
    path = Path(path)
    skrehab.load(path)  # nothing that cannot be loaded is uploaded
    api = hub.HfApi(endpoint=endpoint, token=token)
    with ExitStack() as stack:
        # opened once, never through a link: what is uploaded is what was looked at
        files = {
            name: stack.enter_context(open_plain(path / name, FILES[name]))
            for name in FILES
            if os.path.lexists(path / name)
        }
        try:
            api.create_repo(repo_id, private=private, exist_ok=True)
            done = api.create_commit(
                repo_id,
                [hub.CommitOperationAdd(name, file) for name, file in files.items()],
                commit_message=f"Model saved by skrehab {skrehab.__version__}",
                revision=revision,
            )
        except Exception as error:  # names, rights, network: its errors have no common base
            raise RuntimeError(f"{path} could not be uploaded to {repo_id!r}: {error}") from error
    return done.commit_url


def from_pretrained(
    repo_id,
    *,
    local_files_only=True,
    revision=None,
    device="cpu",
    token=None,
    cache_dir=None,
    endpoint=None,
):
    """Load a model from a model hub.

    Parameters
    ----------
    repo_id : str or path-like
        Repository, ``"owner/name"``; or a model folder on this machine, which is read as
        :func:`skrehab.load` does.
    local_files_only : bool, default=True
        Look only into this machine's cache, where it lies once it has been fetched with False.
    revision : str, optional
        Branch, tag or commit. Name a commit where results must stay the same.
    device : str, default="cpu"
        Torch device to use.
    token : str, optional
        Access token for private repositories; without it the one that ``hf auth login`` stored.
    cache_dir : str or path-like, optional
        Where fetched files are kept; huggingface_hub's own cache without it.
    endpoint : str, optional
        Address of another hub than huggingface.co.

    Returns
    -------
    estimator
        As from :func:`skrehab.load`.

    Raises
    ------
    FileNotFoundError
        If it is not in the cache, or could not be fetched.
    ValueError
        If the repository holds no model, or one whose files are too large.

    Examples
    --------
    >>> from skrehab.persistence.hub import from_pretrained
    >>> model = from_pretrained("our-lab/lean", local_files_only=False)  # doctest: +SKIP
    """
    folder = _local(repo_id)
    if folder is not None:
        return load(folder, device=device)
    hub = _hub("to fetch models")
    commit = revision
    if not local_files_only:
        commit = _check_remote(hub, repo_id, revision, token, endpoint)
    # both files by the commit that was looked at, even if the branch moves meanwhile; then once
    # more by the name that was asked for, so that the cache knows what it meant
    wanted = [(name, commit) for name in _NEEDED] + [(_NEEDED[0], revision)]
    found = []
    for name, version in wanted:
        try:
            file = hub.hf_hub_download(
                repo_id,
                name,
                revision=version,
                token=token,
                cache_dir=cache_dir,
                endpoint=endpoint,
                local_files_only=local_files_only,
            )
        except Exception as error:  # offline, unknown, private, ...: the hub raises its own
            what = (
                "is not in this machine's cache; fetch it once with local_files_only=False."
                if local_files_only
                else f"could not be fetched: {error}"
            )
            raise FileNotFoundError(f"{name} of {repo_id!r} {what}") from error
        found.append(Path(file))
    model_json, weights = (_of_the_cache(file, repo_id) for file in found[: len(_NEEDED)])
    return load_files(model_json, weights, device=device)


def _local(repo_id):
    """Folder that is meant, or None where it is a repository."""
    path = Path(repo_id).expanduser()
    if repo_id and (path / "model.json").is_file():
        return path
    named = not isinstance(repo_id, str) or repo_id.startswith((".", "/", "~", "\\"))
    if named or path.is_absolute() or len(path.parts) > 2:
        raise FileNotFoundError(
            f"{str(repo_id)!r} is a path, and there is no model folder there (no model.json). "
            "A repository is called 'owner/name'."
        )
    return None


def _of_the_cache(file, repo_id):
    """Follow the cache's own link from a revision to its content, and no link that leads out."""
    repository = file.parents[2].resolve()  # repository/snapshots/revision/file
    content = file.resolve()
    if not content.is_relative_to(repository):
        raise ValueError(f"{file.name} of {repo_id!r} is a link out of the cache: {content}.")
    return content


def _check_remote(hub, repo_id, revision, token, endpoint):
    """Look before fetching: which files there are and how large. Returns the commit."""
    try:
        info = hub.HfApi(endpoint=endpoint, token=token).model_info(
            repo_id, revision=revision, files_metadata=True
        )
    except Exception as error:
        raise FileNotFoundError(f"{repo_id!r} could not be fetched: {error}") from error
    sizes = {file.rfilename: file.size for file in info.siblings or []}
    for name in _NEEDED:
        if name not in sizes:
            raise ValueError(f"{repo_id!r} is not a skrehab model: there is no {name} in it.")
        if sizes[name] is None or sizes[name] > FILES[name]:
            raise ValueError(
                f"{name} of {repo_id!r} is too large for a model: {sizes[name]} bytes."
            )
    return info.sha
