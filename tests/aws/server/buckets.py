"""What moto makes of a bucket's policy: its conditions too."""
import json

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket


def install():
    def get_permission(bucket, action, resource):
        """A denial under a condition, such as that of TLS, does not reach loopback."""
        for statement in json.loads(bucket.policy or b'{"Statement": []}')["Statement"]:
            if statement["Effect"] == "Deny" and "Condition" not in statement:
                return PermissionResult.DENIED
        return PermissionResult.NEUTRAL

    FakeBucket.get_permission = get_permission
