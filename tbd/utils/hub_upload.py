"""Upload folders to the Hugging Face hub, with a model card."""

import os
from collections.abc import Mapping
from importlib.resources import files
from string import Template

from tbd import __version__
from tbd.errors import InputError, TBDError, first_line
from tbd.utils.hub import reachable


def pipeline_card(name: str, parts: Mapping[str, str]) -> str:
    """Write the model card of a pipeline.

    Args:
        name: Of the repository or folder, as `from_pretrained` takes it.
        parts: Slot → class path.

    Returns:
        Markdown with the metadata that the hub reads.

    Example:
        >>> card = pipeline_card("me/pipeline", {"planner": "tbd.think.SituationPlanner"})
        >>> 'from_pretrained("me/pipeline")' in card, "| planner | `tbd.think.SituationPlanner` |" in card
        (True, True)
    """
    rows = "\n".join(f"| {slot.replace('_', ' ')} | `{class_path}` |" for slot, class_path in parts.items())
    template = Template((files("tbd") / "assets/cards/pipeline.md").read_text(encoding="utf-8"))
    return template.substitute(name=name, parts=rows, version=__version__)


def upload_to_hub(
    folder: str | os.PathLike, repo_id: str, private: bool | None, token: str | None, revision: str | None, commit_message: str
) -> str:
    """Upload a folder as a model repository, which is made where it is not there.

    Args:
        folder: What to upload.
        repo_id: ``owner/name``.
        private: Whether a new repository is private; None takes the owner's setting.
        token: The hub's access token; None takes the one of ``hf auth login``.
        revision: Branch; None takes the main one.
        commit_message: First line of the commit.

    Returns:
        Address of the commit.

    Raises:
        InputError: If the hub cannot be reached, no repository can have that name, or the token does not open it.
        TBDError: If the upload fails for another reason.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    if not reachable():
        raise InputError(f"{repo_id} was not uploaded: the hub cannot be reached. `save_pretrained` writes the same files to a folder.")
    api = HfApi(token=token, library_name="tbd", library_version=__version__)
    try:
        name = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        return str(api.upload_folder(repo_id=name, folder_path=str(folder), revision=revision, commit_message=commit_message))
    except HFValidationError as error:
        raise InputError(f"No hub repository can have the name {repo_id}: {first_line(error)}") from error
    except LocalTokenNotFoundError as error:
        raise InputError(f"{repo_id} was not uploaded: there is no token; run `hf auth login`, or give one as `token`.") from error
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", None)
        if status in (401, 403):
            raise InputError(f"{repo_id} was not uploaded: the hub refuses the token; it must be one that may write there.") from error
        raise TBDError(f"{repo_id} was not uploaded: {first_line(error)}") from error
