"""The local AWS as one process: moto's server, and in front of it what moto lacks.

Usage: python -m aws.server SETTINGS.json
"""
import json
import pathlib
import sys
import types

import boto3
from botocore.config import Config
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.request import Request
from moto.ecr.models import ecr_backends
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import (DomainDispatcherApplication, MotoRequestHandler,
                                           create_backend_app)
from werkzeug.serving import make_server

from . import (buckets, calls, credentials, functions, images, mappings, notifications, resources,
               urls)
from . import function_resources as _  # Adds its types to those of resources.
from .cloudformation import CloudFormation
from .keyspaces import Keyspaces


class Front:
    """Answers what moto lacks, and hands the rest to it."""

    def __init__(self, settings):
        self.settings = settings
        self.calls = calls.Calls(settings)
        self.keyspaces = Keyspaces(settings)
        self.runner = functions.Runner(settings, self.calls, self.keyspaces, self.client_for)
        self.mappings = mappings.Mappings(self.runner)
        self.urls = urls.Urls(self.runner)
        self.credentials = credentials.Credentials()
        self.images = images.Images(settings)
        self.cloudformation = CloudFormation(settings, resources.TYPES, self.client,
                                             types.SimpleNamespace(keyspaces=self.keyspaces,
                                                                   credentials=self.credentials))
        self.clients = {}
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.install()

    def install(self):
        calls.record_in(self.calls)
        notifications.install()
        buckets.install()
        functions.install(self.runner)
        mappings.install(self.mappings)
        urls.install(self.urls)
        credentials.install(self.credentials)
        images.install(self.images)

    def client_for(self, service, login):
        """A boto3 client for this server itself, signed with a login."""
        key = (service, login)
        if key not in self.clients:
            self.clients[key] = boto3.Session().client(
                service, endpoint_url=f"http://127.0.0.1:{self.settings['port']}",
                region_name=self.settings["region"], aws_access_key_id=login[0],
                aws_secret_access_key=login[1], config=Config(retries={"total_max_attempts": 1}))
        return self.clients[key]

    def client(self, service):
        """CloudFormation's own."""
        return self.client_for(service, self.login)

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if path == "/local-aws/calls":
            return answer(start_response, self.calls.to_json())
        if path == "/local-aws/reset" and environ["REQUEST_METHOD"] == "POST":
            self.reset()
            return answer(start_response, "{}")
        service = calls.signed_by({"Authorization": environ.get("HTTP_AUTHORIZATION")})[2]
        if service == "cloudformation":
            return self.cloudformation.answer(Request(environ), start_response)
        if service == "cassandra":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return self.keyspaces.answer(environ["HTTP_X_AMZ_TARGET"], body, start_response)
        return self.moto(environ, start_response)

    def reset(self):
        self.mappings.reset()
        self.urls.reset()
        self.runner.reset()
        self.keyspaces.reset()
        self.images.reset(ecr_backends[self.settings["account"]][self.settings["region"]]
                          .repositories)
        self.cloudformation.reset()
        self.credentials.reset()
        moto_api_backend.reset()
        self.calls.reset()
        self.clients = {}
        self.login = self.calls.login("cloudformation")


def answer(start_response, text):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [text.encode()]


def main():
    settings = json.loads(pathlib.Path(sys.argv[1]).read_text())
    assert settings["account"] == DEFAULT_ACCOUNT_ID
    front = Front(settings)
    front.reset()
    server = make_server("127.0.0.1", settings["port"], front, threaded=True,
                         request_handler=MotoRequestHandler)
    server.serve_forever()


if __name__ == "__main__":
    main()
