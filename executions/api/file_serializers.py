"""What the API takes and gives of files."""

from typing import Any

from rest_framework import serializers

from executions.files import links
from executions.files.models import File


class UploadSerializer(serializers.Serializer[Any]):
    """A file, and what it is meant for."""

    file = serializers.FileField(allow_empty_file=True, max_length=500)
    agent = serializers.SlugField(
        required=False, help_text="The agent it is for: what its live version does not take is refused now."
    )
    field = serializers.CharField(required=False, help_text="The member of that agent's input.")


class FileSerializer(serializers.ModelSerializer[File]):
    """A file, without its content."""

    class Meta:
        model = File
        fields = ["id", "source", "name", "media_type", "size", "sha256", "created_at"]
        read_only_fields = fields


class FileLinkSerializer(FileSerializer):
    """A file, and where to have its content from until `expires_at`, without any header."""

    url = serializers.SerializerMethodField()
    expires_at = serializers.SerializerMethodField()

    class Meta(FileSerializer.Meta):
        fields = [*FileSerializer.Meta.fields, "url", "expires_at"]
        read_only_fields = fields

    def get_url(self, file: File) -> str:
        return links.download(file).url

    def get_expires_at(self, file: File) -> str:
        return links.download(file).expires_at.isoformat()


class ExecutionFileSerializer(FileLinkSerializer):
    """A file that a run took or gave."""

    direction = serializers.ChoiceField(choices=["input", "output"], read_only=True)

    class Meta(FileLinkSerializer.Meta):
        fields = ["direction", *FileLinkSerializer.Meta.fields]
        read_only_fields = fields
