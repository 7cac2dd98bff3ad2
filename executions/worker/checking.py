"""Looking at the images of new versions: pulled by digest and held against the rules for images, before anybody pays
for a run."""

import threading
from contextlib import suppress

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from executions.errors import RunnerError
from executions.runners.base import Control, RegistryLogin, Stop
from executions.runners.docker import hot
from executions.runners.docker.engine import Engine, EngineCallError, engine_errors
from executions.runners.docker.images import Images
from executions.runners.docker.pulling import ImageUnreachableError, ImageUnusableError, PullStoppedError
from executions.runners.docker.workdir import refuse_links
from marketplace.catalogue import verdicts
from marketplace.errors import VaultError
from marketplace.models import AgentVersion
from marketplace.vault.operations import credential_for

log = structlog.get_logger(__name__)
STOP_SECONDS = 2.0


class Checker:
    """Judges one image after another in a thread of its own, for a pull may take minutes."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._control = Control()
        self._engine = engine or Engine(settings.DOCKER_HOST)
        self._images = Images(self._engine)
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begin if anything waits and nothing is under way. Raises DatabaseError."""
        busy = self._thread is not None and self._thread.is_alive()
        if not busy and self._control.reason is None and verdicts.waiting():
            self._thread = threading.Thread(target=self._run, name="image-check", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Give back what is under way, and begin nothing more."""
        self._control.stop(Stop.SHUTDOWN)
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        if self._thread is None or not self._thread.is_alive():
            self._control.close()

    def _run(self) -> None:
        close_old_connections()
        try:
            while self._control.reason is None and self.check_next():
                pass
        except DatabaseError as exc:
            log.warning("images_not_checked", error=type(exc).__name__)
        finally:
            self._engine.close()
            connection.close()

    def check_next(self) -> bool:
        """Judge the version that waits longest; False when none does. Raises DatabaseError."""
        version = verdicts.claim_next()
        if version is None:
            return False
        self._judge(version)
        return True

    def _judge(self, version: AgentVersion) -> None:
        try:
            login = credential_for(version.agent.creator_id, version.image)
            registry = RegistryLogin(login.username, login.password) if login else None
            image = self._images.resolve(version.image, self._control, _unheard, registry)
            self._check_workdir(image["Id"], (image.get("Config") or {}).get("WorkingDir") or "/")
        except ImageUnreachableError as exc:
            verdicts.postpone(version, str(exc))
        except ImageUnusableError as exc:
            verdicts.refuse(version, str(exc))
        except PullStoppedError:
            verdicts.give_back(version)
        except (RunnerError, VaultError) as exc:
            log.warning("image_not_checked", version_id=str(version.pk), error=str(exc))
            verdicts.postpone(version, "The machine that checks images had a fault.")
        else:
            verdicts.accept(version)

    def _check_workdir(self, image: str, workdir: str) -> None:
        """In a container that is made and never started."""
        if workdir == "/":
            return
        client = self._engine.client
        with engine_errors():
            made = client.create_container(image, name=hot.new_name(), labels=hot.labels(), network_disabled=True)["Id"]
        try:
            refuse_links(client, made, workdir)
        finally:
            with suppress(EngineCallError), engine_errors():
                client.remove_container(made, force=True, v=True)


def _unheard(text: str) -> None:
    """Nobody watches the pull."""
