"""Operations on the locks of objects: retention and legal hold."""

from collections.abc import Callable
from dataclasses import replace

from localaws.s3 import lock as s3_lock
from localaws.s3 import versions as s3_versions
from localaws.s3.buckets import Buckets
from localaws.s3.objects import Objects
from localaws.s3.settings import check_enumerations
from localaws.s3.xml import malformed
from localaws.wire import Parameters, service_model

_model = service_model("s3")
Fields = Callable[[Parameters], Parameters]


class Locks:
    def __init__(self, buckets: Buckets, objects: Objects, clock: Callable[[], float]) -> None:
        self._buckets = buckets
        self._objects = objects
        self._clock = clock

    def get_object_retention(self, p: Parameters) -> Parameters:
        return {"Retention": s3_lock.retention(self._fields(p))}

    def get_object_legal_hold(self, p: Parameters) -> Parameters:
        return {"LegalHold": s3_lock.legal_hold(self._fields(p))}

    def put_object_retention(self, p: Parameters) -> Parameters:
        wanted, bypass = self._wanted(p, "Retention", "ObjectLockRetention"), bool(p.get("BypassGovernanceRetention"))
        return self._change(p, lambda fields: s3_lock.retained(fields, wanted, self._clock(), bypass))

    def put_object_legal_hold(self, p: Parameters) -> Parameters:
        wanted = self._wanted(p, "LegalHold", "ObjectLockLegalHold")
        if "Status" not in wanted:
            raise malformed()
        return self._change(p, lambda fields: s3_lock.held(fields, wanted["Status"]))

    def _wanted(self, p: Parameters, member: str, shape: str) -> Parameters:
        self._check_configured(p)
        wanted: Parameters = p.get(member, {})
        check_enumerations(wanted, _model().shape_for(shape))
        return wanted

    def _check_configured(self, p: Parameters) -> None:
        s3_lock.check_configured(self._buckets.get(p["Bucket"]).settings.get("object-lock"))

    def _fields(self, p: Parameters) -> Parameters:
        self._check_configured(p)
        return dict(self._objects.get(p["Bucket"], p["Key"], s3_versions.wanted(p)).description.fields)

    def _change(self, p: Parameters, change: Fields) -> Parameters:
        self._objects.describe(
            p["Bucket"],
            p["Key"],
            s3_versions.wanted(p),
            lambda old: replace(old, fields=change(dict(old.fields))),
            None,
        )
        return {}
