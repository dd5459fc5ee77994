"""The composition root: one data directory, its services, and who is handed what of whom.

This file alone knows all services. Each gets its neighbours as plain callables, so each can be read alone.
"""

import asyncio
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from localaws import credentials, health
from localaws.asgi import App
from localaws.athena.limits import Limits, limits_of
from localaws.athena.service import Athena
from localaws.budgets import Budgets
from localaws.cloudwatch.service import CloudWatch
from localaws.control.service import Control
from localaws.events import Deliver, Events
from localaws.execute_api.addresses import function_url_address
from localaws.execute_api.service import ExecuteApi
from localaws.faults import Faults, PutObject, failing_writes, faults_of, possibly_disordered
from localaws.firehose.service import Firehose, backlog_limit
from localaws.functions.service import Functions
from localaws.gate import Gate
from localaws.glue.service import Glue
from localaws.iam.guard import Guard
from localaws.identity import Sts
from localaws.logs import Logs
from localaws.metrics import firehose as streams
from localaws.metrics import functions, queues
from localaws.metrics.registry import Reading
from localaws.mounts import Mounts
from localaws.observability import Observability
from localaws.s3.destinations import PolicyOf
from localaws.s3.service import S3
from localaws.server import Server, Service
from localaws.store import Documents, Store

ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class Settings:
    """`port` 0 takes a free one. `clock` is epoch seconds, `ids` makes UUIDs: tests may give their own.
    `version` is that of the product which this is a part of, `mounts` what of it is served below a path of its own."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 4566
    region: str = "us-east-1"
    clock: Callable[[], float] = time.time
    ids: Callable[[], str] = lambda: str(uuid.uuid4())
    version: str = "unknown"
    faults: Faults = field(default_factory=lambda: faults_of(os.environ))
    bucket_acls: bool = field(default_factory=lambda: os.environ.get("CLICKLAKE_S3_ACLS", "") == "1")
    warm: bool = field(default_factory=lambda: os.environ.get("CLICKLAKE_WARM", "") != "0")
    allowed_hosts: tuple[str, ...] = field(
        default_factory=lambda: tuple(os.environ.get("CLICKLAKE_ALLOWED_HOSTS", "").split(","))
    )
    enforce_iam: bool = False
    firehose_backlog: int = field(default_factory=lambda: backlog_limit(os.environ))
    queries: Limits = field(default_factory=lambda: limits_of(os.environ))
    mounts: Mapping[str, App] = field(default_factory=dict)


class Runtime:
    """All services over one data directory. Built, then `start`ed, then `stop`ped; the lock is held in between."""

    def __init__(self, settings: Settings, url: str) -> None:
        root, clock, ids, region = settings.data_dir, settings.clock, settings.ids, settings.region
        self.url = url
        self._settings = settings
        self._here = (clock, ids, ACCOUNT, region)
        self._store = Store(root / "state.db")
        self._shown = Observability(self._store, root, clock, settings.version)
        self._control = control = Control(root, ACCOUNT, region, self._store, self._invoke)
        owner, sessions = credentials.load_or_make(root / "credentials"), Documents(self._store, "sts.session")
        guests = credentials.load_guests(root / "credentials")
        self._keyring = credentials.Keyring(owner, ACCOUNT, sessions, control.user_key, guests)
        self._guard = self._new_guard(owner) if settings.enforce_iam else Guard()
        self._logs = Logs(root, clock, ACCOUNT, region, control.handler, control.create_log_group)
        self._events = Events(partial(possibly_disordered, settings.faults, self._store, clock), clock)
        self._s3 = self._new_s3()
        handle_s3, put_object = failing_writes(settings.faults, self._s3.handler, self._s3.put_object)
        self.firehose = self._new_firehose(put_object)
        self.functions = self._new_functions()
        glue = Glue(self._store, clock, ACCOUNT, region, control.handler)
        self.athena = self._new_athena(glue)
        self._execute_api = self._new_execute_api()
        self._watch()
        services = {
            "firehose": Service("json", self.firehose.handler),
            "s3": Service("rest-xml", handle_s3),
            "lambda": Service("rest-json", self.functions.handler),
            "glue": Service("json", glue.handler),
            "athena": Service("json", self.athena.handler),
            "logs": Service("json", self._logs.handler),
            "apigateway": Service("rest-json", self._execute_api.handler),
            "budgets": Service("json", Budgets(self._store, clock, ACCOUNT, control.handler).handler),
            "sts": Service("query", Sts(ACCOUNT, self._keyring, control.role, clock, control.handler).handler),
        }
        self.app = self._new_server(services)

    def _policies(self) -> dict[str, PolicyOf]:
        """Of resources, by the service in their ARNs."""
        return {
            "lambda": lambda arn: self.functions.policy(arn),  # noqa: PLW0108 - they are made later
            "sqs": self._control.queue_policy,
            "sns": self._control.topic_policy,
        }

    def _new_guard(self, owner: credentials.Credentials) -> Guard:
        # Here, not above: `clicklake up` must not wait for what --enforce-iam alone needs.
        from localaws.iam.definitions import Definitions
        from localaws.iam.enforcement import Enforcement
        from localaws.iam.service_roles import ServiceRoles

        enforcement = Enforcement(
            ACCOUNT,
            self._settings.region,
            owner.access_key,
            self._control.identity,
            self._settings.clock,
            self._policies(),
            {"athena": lambda p: self.athena.with_workgroup(p)},  # noqa: PLW0108 - it is made later
            Definitions(),
        )
        return ServiceRoles(
            enforcement,
            lambda caller, bucket, key: self._s3.admit_put(caller, bucket, key),  # noqa: PLW0108 - likewise
            self._control.has_log_group,
            self._keyring.caller_of,
        ).guard()

    def _new_s3(self) -> S3:
        return S3(
            self._store,
            self._settings.data_dir,
            *self._here,
            self._events.put,
            self._policies(),
            lambda name: self._keyring.find(name) or self._keyring.find_user(name),
            self._settings.bucket_acls,
            self._guard.judge,
        )

    def _new_firehose(self, put_object: PutObject) -> Firehose:
        return Firehose(
            self._store,
            self._settings.data_dir,
            put_object,
            self._write_delivery_log,
            *self._here,
            self._control.handler,
            self._settings.firehose_backlog,
            self._shown.delivered,
            self._guard.admit_delivery,
        )

    def _new_functions(self) -> Functions:
        return Functions(
            self._store,
            self._settings.data_dir,
            *self._here,
            self._function_environment,
            self._write_function_log,
            self._s3.open_object,
            self._control.handler,
            {"sqs": self._control.send_text, "sns": self._control.publish_text},
            observe=self._shown.invocation_ran,
            failures=self._keyring.failures,
            admit_report=self._guard.admit_report,
            address=partial(function_url_address, self.url),
        )

    def _new_execute_api(self) -> ExecuteApi:
        return ExecuteApi(
            self._store,
            *self._here,
            self.url,
            self.functions.submit,
            self.functions.policy,
            self.functions.url,
            self._logs.write,
            self._control.has_log_group,
            self._shown.api_answered,
            self._control.handler,
        )

    def _new_athena(self, glue: Glue) -> Athena:
        return Athena(
            self._store,
            self._settings.data_dir,
            *self._here,
            glue.catalog,
            self._s3.files,
            self._s3.put_object,
            self._s3.put_file,
            self._control.handler,
            self._settings.queries,
            self._shown.query_ended,
        )

    def _new_server(self, services: dict[str, Service]) -> Server:
        settings, shown = self._settings, self._shown
        cloudwatch = CloudWatch(shown.series, shown.look, settings.clock, self._control.handler)
        return Server(
            services,
            {"monitoring": cloudwatch.handler},
            self._control.handler,
            self._keyring,
            settings.data_dir / "tmp",
            settings.clock,
            settings.ids,
            shown.pages,
            shown.note,
            Gate(settings.host, settings.allowed_hosts),
            self._s3.admits,
            self._s3.may_upload,
            self._guard.admit,
            Mounts(settings.mounts, self._execute_api.public).find,
        )

    def _watch(self) -> None:
        """What is shown of the services: what the event loop owns is asked there, the rest on a thread."""
        clock = self._settings.clock
        self._shown.watch(
            [lambda: streams.readings(self.firehose.stats(), clock())],
            [
                lambda: functions.readings(self.functions.stats(), clock()),
                lambda: queues.readings(self._control.queues()),
                lambda: [Reading("clicklake_events_queued", (), self._events.depth())],
            ],
            self._checks(self._settings.data_dir),
        )

    def _checks(self, root: Path) -> dict[str, health.Check]:
        """How every service is."""

        async def of_streams() -> dict[str, Any]:
            return streams.health(self.firehose.stats())

        def on_a_thread(check: Callable[[], dict[str, Any]]) -> health.Check:
            return partial(asyncio.to_thread, check)

        return {
            "store": on_a_thread(lambda: health.store(self._store)),
            "firehose": of_streams,
            "s3": on_a_thread(lambda: health.disk(root)),
            "events": on_a_thread(lambda: {"queued": self._events.depth()}),
            "lambda": on_a_thread(lambda: functions.health(self.functions.stats())),
            "athena": on_a_thread(lambda: {"running": self.athena.running()}),
            "control": on_a_thread(lambda: {"loaded": self._control.is_loaded}),
        }

    def _invoke(self, arn: str, event: dict[str, Any]) -> None:
        self.functions.invoke_async(arn, event)

    def _write_delivery_log(self, role: str, group: str, stream: str, lines: list[str]) -> None:
        if self._guard.may_log_delivery(role, group, stream):
            self._logs.write(group, stream, lines)

    def _write_function_log(self, access_key: str, group: str, stream: str, lines: list[str]) -> None:
        if self._guard.may_log(access_key, group, stream):
            self._logs.write(group, stream, lines)

    def _function_environment(self, role_arn: str, function: str) -> dict[str, str]:
        """What AWS puts into a function's environment so that its SDK finds its region and its role's keys."""
        self._guard.admit_function(role_arn, function)
        keys = self._keyring.of_function(role_arn, function)
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self._settings.region,
            "AWS_DEFAULT_REGION": self._settings.region,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.session_token or "",
        }

    async def start(self) -> None:
        self._shown.start()
        self._logs.start()
        self.functions.start()
        control = self._control
        targets: dict[str, Deliver] = {
            "lambda": self.functions.invoke_async,
            "sqs": control.send_event,
            "sns": control.publish_event,
            "events": self._route,
        }
        self._events.start(targets, self._still_wants, self._check_admitted)
        await self.firehose.start()

    def _route(self, bus_arn: str, event: dict[str, Any], trace: str) -> None:
        """EventBridge: to whom its rules name, whose items wait on their own from then on."""
        for arn in self._control.event_targets(bus_arn, event):
            self._events.put(arn, bus_arn, event, trace)

    def _check_admitted(self, source: str, arn: str) -> None:
        """With policies enforced a target's own must let S3 in whenever it is told. Raises AccessDenied."""
        if self._settings.enforce_iam and not source.startswith("arn:"):  # that would be an event bus
            self._s3.check_admitted(source, arn)

    def _still_wants(self, source: str, arn: str) -> bool:
        is_bus = source.startswith("arn:")
        return self._control.rules_name(source, arn) if is_bus else self._s3.tells(source, arn)

    def warm(self) -> None:
        """Load what the first query and the first control call would wait for."""
        self.athena.warm()
        self._control.warm()

    async def stop(self) -> None:
        await self.firehose.stop()
        await asyncio.to_thread(self._events.stop)
        await asyncio.to_thread(self.functions.stop)
        await asyncio.to_thread(self._execute_api.stop)
        await asyncio.to_thread(self._logs.stop)
        await asyncio.to_thread(self.athena.stop)
        await self._shown.stop()
        self._store.close()
