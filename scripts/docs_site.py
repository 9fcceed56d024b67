"""Builds the documentation's site: README as its first page, dbt's docs inside; a MkDocs hook.

Links to files outside `docs/` lead to the page of their folder in the repository, `REPOSITORY`.
"""

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = os.environ.get(
    "REPOSITORY", "https://github.com/fraud-detection/fraud-detection-streaming"
)
DBT_PAGE = ROOT / "fraud_detection/target/docs/static_index.html"
_LINK = re.compile(r"(\]\()([^)#\s:]+)((?:#[^)]*)?\))")
_PICTURE = re.compile(r'((?:src|srcset)=")docs/')


def on_files(files: Files, config: Any) -> Files:
    """Add the README, and dbt's page if `make dbt-docs` has written it."""
    readme = _PICTURE.sub(r"\1", (ROOT / "README.md").read_text("utf-8"))
    readme = re.sub(r"\]\(docs/", "](", readme)
    files.append(File.generated(config, "index.md", content=readme))
    page = DBT_PAGE.read_text("utf-8") if DBT_PAGE.exists() else "Run `make dbt-docs` first."
    files.append(File.generated(config, "models.html", content=page))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Send links that leave the site to the repository."""
    place = Path(page.file.src_uri).parent

    def target(match: re.Match[str]) -> str:
        inside = os.path.normpath(place / match[2])
        if files.get_file_from_path(inside) is not None:
            return match[0]
        # The first page is the README, whose links start at the root.
        bases = [Path("docs") / place, *([Path()] if page.file.src_uri == "index.md" else [])]
        places = [os.path.normpath(base / match[2]) for base in bases]
        found = next((place for place in places if (ROOT / place).exists()), None)
        if found is None:
            raise ValueError(f"{page.file.src_uri}: the link {match[2]} leads nowhere")
        kind = "tree" if (ROOT / found).is_dir() else "blob"
        return f"{match[1]}{REPOSITORY}/{kind}/main/{found}{match[3]}"

    return _LINK.sub(target, markdown)
