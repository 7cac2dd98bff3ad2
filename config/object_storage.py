"""The private storage as a bucket of Amazon's S3, or of a service that speaks its language."""

from typing import Any


def bucket(name: str, *, prefix: str = "", region: str = "", endpoint: str = "", addressing: str = "auto") -> Any:
    """An entry of STORAGES. Credentials come from where boto3 looks for them.

    A service that does not answer is given up after some seconds: whoever waits is told, or tries again later.
    """
    from botocore.config import Config  # type: ignore[import-untyped]  # a third of a second that only buckets cost

    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "location": prefix,
            "region_name": region or None,
            "endpoint_url": endpoint or None,
            "client_config": Config(
                signature_version="s3v4",
                s3={"addressing_style": addressing},
                connect_timeout=3,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
        },
    }
