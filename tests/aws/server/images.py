"""ECR: its images are those of the registry on loopback."""
import json
import urllib.request

from moto.ecr.models import ECRBackend, Repository
from moto.ecr.responses import ECRResponse

from .roots import manifest_of

LISTING = ("list_images", "describe_images", "batch_get_image", "batch_delete_image",
           "delete_repository")


class Images:
    def __init__(self, settings):
        self.registry = settings["registry"]

    def tags(self, name):
        try:
            with urllib.request.urlopen(f"http://{self.registry}/v2/{name}/tags/list") as answer:
                return json.load(answer).get("tags") or []
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return []

    def learn(self, backend, name):
        """Tells moto of what was pushed since."""
        repository = backend.repositories.get(name)
        if repository is None:
            return
        known = {tag for image in repository.images for tag in image.image_tags}
        for tag in self.tags(name):
            manifest, digest = manifest_of(self.registry, name, tag)
            if manifest is None or tag in known:
                continue
            media_type = json.loads(manifest).get("mediaType")
            backend.put_image(name, manifest, tag, media_type, digest)

    def delete(self, name, digest):
        request = urllib.request.Request(f"http://{self.registry}/v2/{name}/manifests/{digest}",
                                         method="DELETE")
        try:
            urllib.request.urlopen(request).close()
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise

    def reset(self, names):
        """A new account's repositories are empty, whatever the old ones of that name held."""
        for name in names:
            for tag in self.tags(name):
                self.delete(name, manifest_of(self.registry, name, tag)[1])


def install(images):
    init = Repository.__init__
    delete = ECRBackend.batch_delete_image

    def initialise(repository, *args, **options):
        init(repository, *args, **options)
        repository.uri = f"{images.registry}/{repository.name}"

    def learning(name):
        method = getattr(ECRResponse, name)

        def call(response):
            images.learn(response.ecr_backend, response._get_param("repositoryName"))
            return method(response)

        return call

    def batch_delete_image(backend, repository_name, *args, **options):
        answer = delete(backend, repository_name, *args, **options)
        for image in answer["imageIds"]:
            images.delete(repository_name, image.image_digest)
        return answer

    Repository.__init__ = initialise
    ECRBackend.batch_delete_image = batch_delete_image
    for name in LISTING:
        setattr(ECRResponse, name, learning(name))
