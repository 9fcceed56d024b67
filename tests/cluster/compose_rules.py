"""What must hold in docker-compose.yml beyond its schema; each rule names what breaks it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

Compose = dict[str, Any]
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([-?])([^}]*))?\}")


def findings(text: str, root: Path) -> list[str]:
    """Everything wrong with a Compose file that lies in `root`."""
    compose = yaml.safe_load(text)
    return [
        *(line for rule in _SERVICE_RULES for name, service in compose["services"].items()
          for line in rule(name, service, compose, root)),
        *_one_shots_are_adopted(compose),
        *_volumes(compose),
        *_variables(text, (root / ".env.example").read_text(encoding="utf-8")),
        *_memory_is_stated(text, compose),
    ]  # fmt: skip


def bytes_of(amount: str) -> int:
    """Bytes of an amount such as 512m or 4g."""
    return int(float(amount[:-1]) * {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[amount[-1]])


def resolved(text: str) -> str:
    """A value with every variable at its default."""
    return _VARIABLE.sub(lambda match: match[3] if match[2] == "-" else "", text)


def _image(name: str, service: Any, _compose: Compose, root: Path) -> Iterator[str]:
    _, _, tag = service.get("image", "").partition(":")
    if not re.match(r"v?\d+\.\d+\.\d+", tag):
        yield f"{name}: image {service.get('image')} is not pinned to a release"
    build = service.get("build")
    if build and not (root / build["context"] / build["dockerfile"]).is_file():
        yield f"{name}: there is no {build['dockerfile']}"


def _depends(name: str, service: Any, compose: Compose, _root: Path) -> Iterator[str]:
    for target, link in service.get("depends_on", {}).items():
        other = compose["services"].get(target)
        if other is None:
            yield f"{name}: depends on {target}, which does not exist"
        elif link["condition"] == "service_healthy" and "healthcheck" not in other:
            yield f"{name}: waits for {target} to be healthy, which has no healthcheck"
        elif link["condition"] == "service_completed_successfully" and not _one_shot(other):
            yield f"{name}: waits for {target} to end, which is restarted"


def _healthcheck(name: str, service: Any, _compose: Compose, _root: Path) -> Iterator[str]:
    check = service.get("healthcheck")
    if check is None:
        if not _one_shot(service):
            yield f"{name}: has no healthcheck"
        return
    test = check["test"]
    if not isinstance(test, list) or test[0] not in ("CMD", "CMD-SHELL"):
        yield f"{name}: healthcheck must be a list that begins with CMD or CMD-SHELL"
    elif test[0] == "CMD-SHELL" and len(test) != 2:
        yield f"{name}: only the first command of a CMD-SHELL healthcheck runs"
    elif "/dev/tcp" in test[-1] and test[1:3] != ["bash", "-c"]:
        yield f"{name}: /dev/tcp needs bash"
    missing = {"interval", "timeout", "retries", "start_period"} - set(check)
    if missing:
        yield f"{name}: healthcheck lacks {', '.join(sorted(missing))}"


def _ports(name: str, service: Any, _compose: Compose, _root: Path) -> Iterator[str]:
    for port in service.get("ports", []):
        if not str(port).startswith("127.0.0.1:"):
            yield f"{name}: port {port} is open beyond this machine"


def _mounts(name: str, service: Any, compose: Compose, root: Path) -> Iterator[str]:
    for mount in service.get("volumes", []):
        if isinstance(mount, str):
            volume = mount.split(":")[0]
            if volume.startswith((".", "/")):
                yield f"{name}: {mount} would make a missing file a folder; use the long form"
            elif volume not in compose.get("volumes", {}):
                yield f"{name}: volume {volume} is not declared"
        elif not (root / mount["source"]).exists():
            yield f"{name}: {mount['source']} does not exist"
        elif not mount.get("read_only") or mount["bind"]["create_host_path"] is not False:
            yield f"{name}: {mount['source']} must be read-only and not be made when missing"


def _hardening(name: str, service: Any, _compose: Compose, _root: Path) -> Iterator[str]:
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield f"{name}: may gain privileges"
    if service.get("logging", {}).get("options", {}).keys() < {"max-size", "max-file"}:
        yield f"{name}: its log may fill the disk"
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    if missing := {"cpus", "memory", "pids"} - set(limits):
        yield f"{name}: has no limit of {', '.join(sorted(missing))}"
    if service.get("privileged") or service.get("network_mode") == "host":
        yield f"{name}: is not contained"
    if "build" in service and not (service.get("read_only") and service.get("cap_drop") == ["ALL"]):
        yield f"{name}: our own image must run read-only and without capabilities"
    if "env_file" in service:
        yield f"{name}: env_file would hand it every password"


_SERVICE_RULES: tuple[Callable[[str, Any, Compose, Path], Iterator[str]], ...] = (
    _image, _depends, _healthcheck, _ports, _mounts, _hardening,
)  # fmt: skip


def _one_shot(service: Any) -> bool:
    return bool(service.get("restart") == "no")


def _one_shots_are_adopted(compose: Compose) -> Iterator[str]:
    """`up --wait` fails when a one-shot ends, unless a service that stays waits for its end."""
    adopted = {
        target
        for service in compose["services"].values()
        if not _one_shot(service)
        for target, link in service.get("depends_on", {}).items()
        if link["condition"] == "service_completed_successfully"
    }
    for name, service in compose["services"].items():
        if _one_shot(service) and name not in adopted:
            yield f"{name}: ends, and no service that stays waits for that"


def _volumes(compose: Compose) -> Iterator[str]:
    used = {
        mount.split(":")[0]
        for service in compose["services"].values()
        for mount in service.get("volumes", [])
        if isinstance(mount, str)
    }
    for volume in compose.get("volumes", {}):
        if volume not in used:
            yield f"volume {volume} is not used"


def _variables(text: str, example: str) -> Iterator[str]:
    code = re.sub(r"(^|\s)#.*", "", text)
    for match in re.finditer(r"\$.?", code):
        if match[0] not in ("${", "$$"):
            yield f"{code[match.start() : match.start() + 12]!r}: write $$ for a dollar sign"
    known = dict(re.findall(r"^([A-Z_]+)=(.*)$", example, flags=re.MULTILINE))
    # What is only suggested there is not set, and then nothing is passed on.
    known |= dict.fromkeys(re.findall(r"^#([A-Z_]+)=", example, flags=re.MULTILINE), "")
    for name, kind, default in _VARIABLE.findall(code):
        if name not in known:
            yield f"{name} is not in .env.example"
        elif name.endswith(("PASSWORD", "SECRET_KEY")):
            if kind != "?" or known[name]:
                yield f"{name} must be demanded with :? and be empty in .env.example"
        elif kind != "-" or default != known[name]:
            yield f"{name} has default {default!r} here and {known[name]!r} in .env.example"


def _memory_is_stated(text: str, compose: Compose) -> Iterator[str]:
    total = sum(
        bytes_of(resolved(service["deploy"]["resources"]["limits"]["memory"]))
        for service in compose["services"].values()
        if "deploy" in service
    )
    if f"{total / (1 << 30):.1f} GiB" not in text:
        yield f"the limits add up to {total / (1 << 30):.1f} GiB, and the file does not say so"
