"""Asks function URLs, with or without a signature."""
import urllib.error
import urllib.request

from . import environment


def ask(url, headers=None, body=None):
    """Status and text of the answer."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def signed(aws, url, body=None, secret=None):
    """Headers that say it is the account that asks; another secret makes them wrong."""
    environment.use_packages()
    from botocore.auth import SigV4Auth  # Of the environment that the line above opens.
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    request = AWSRequest(method="POST" if body else "GET", url=url, data=body)
    given = aws.settings
    SigV4Auth(Credentials(given["key_id"], secret or given["secret"]), "lambda",
              aws.region).add_auth(request)
    return dict(request.headers)
