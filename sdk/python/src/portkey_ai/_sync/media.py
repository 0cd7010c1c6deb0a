# Made of _async/media.py by generate.py: change it there.
"""Resources that the gateway forwards to the provider: images, sounds, files, batches, tuning, vector stores.

A file is a `pathlib.Path`, an open file, bytes, or `(name, content[, media type])`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portkey_ai import types
from portkey_ai._sync.resource import Resource
from portkey_ai._calls import path


class Images(Resource):
    """Images."""

    def generate(self, *, prompt: str, **fields: Any) -> types.Images:
        """Make them of a text."""
        return self._send(types.Images, "POST", "/images/generations", {"prompt": prompt, **fields})

    def edit(self, *, image: Any, prompt: str, mask: Any = None, **fields: Any) -> types.Images:
        """Change an image, or several."""
        files = {"image": image, "mask": mask}
        return self._send(types.Images, "POST", "/images/edits", {"prompt": prompt, **fields}, files=files)

    def create_variation(self, *, image: Any, **fields: Any) -> types.Images:
        """Vary an image."""
        return self._send(types.Images, "POST", "/images/variations", fields, files={"image": image})


class Speech(Resource):
    """Speech."""

    def create(self, *, input: str, **fields: Any) -> types.Content:
        """Speak a text."""
        return self._send(types.Content, "POST", "/audio/speech", {"input": input, **fields})


class Transcriptions(Resource):
    """Speech as text."""

    def create(self, *, file: Any, **fields: Any) -> types.Transcription:
        """Write down what is said."""
        return self._send(types.Transcription, "POST", "/audio/transcriptions", fields, files={"file": file})


class Translations(Resource):
    """Speech as English text."""

    def create(self, *, file: Any, **fields: Any) -> types.Transcription:
        """Write down in English what is said."""
        return self._send(types.Transcription, "POST", "/audio/translations", fields, files={"file": file})


class Audio(Resource):
    """Sounds."""

    @property
    def speech(self) -> Speech:
        """Speech."""
        return Speech(self._client)

    @property
    def transcriptions(self) -> Transcriptions:
        """Speech as text."""
        return Transcriptions(self._client)

    @property
    def translations(self) -> Translations:
        """Speech as English text."""
        return Translations(self._client)


class Files(Resource):
    """Files at the provider."""

    def create(self, *, file: Any, purpose: str, **fields: Any) -> types.File:
        """Upload one."""
        return self._send(types.File, "POST", "/files", {"purpose": purpose, **fields}, files={"file": file})

    def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return self._send(types.Page, "GET", "/files", query)

    def retrieve(self, file_id: str, **query: Any) -> types.File:
        """What is known of one."""
        return self._send(types.File, "GET", path("/files/{}", file_id), query)

    def content(self, file_id: str, **query: Any) -> types.Content:
        """What is in one."""
        return self._send(types.Content, "GET", path("/files/{}/content", file_id), query)

    def retrieve_content(self, file_id: str, **query: Any) -> types.Content:
        """What is in one."""
        return self.content(file_id, **query)

    def delete(self, file_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/files/{}", file_id), query)


class Batches(Resource):
    """Many requests in a file."""

    def create(
        self, *, input_file_id: str, endpoint: str, completion_window: str = "24h", **fields: Any
    ) -> types.Batch:
        """Begin one."""
        asked = {"input_file_id": input_file_id, "endpoint": endpoint, "completion_window": completion_window, **fields}
        return self._send(types.Batch, "POST", "/batches", asked)

    def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return self._send(types.Page, "GET", "/batches", query)

    def retrieve(self, batch_id: str, **query: Any) -> types.Batch:
        """How far one is."""
        return self._send(types.Batch, "GET", path("/batches/{}", batch_id), query)

    def output(self, batch_id: str, **query: Any) -> types.Content:
        """What one has answered, a line each."""
        return self._send(types.Content, "GET", path("/batches/{}/output", batch_id), query)

    def cancel(self, batch_id: str, **fields: Any) -> types.Batch:
        """End one."""
        return self._send(types.Batch, "POST", path("/batches/{}/cancel", batch_id), fields)


class Checkpoints(Resource):
    """States of a model in the making that were kept."""

    def list(self, fine_tuning_job_id: str, **query: Any) -> types.Page:
        """All of them."""
        return self._send(types.Page, "GET", path("/fine_tuning/jobs/{}/checkpoints", fine_tuning_job_id), query)


class FineTuningJobs(Resource):
    """Models in the making."""

    @property
    def checkpoints(self) -> Checkpoints:
        """Their states that were kept."""
        return Checkpoints(self._client)

    def create(self, *, model: str, training_file: str, **fields: Any) -> types.FineTuningJob:
        """Begin one."""
        asked = {"model": model, "training_file": training_file, **fields}
        return self._send(types.FineTuningJob, "POST", "/fine_tuning/jobs", asked)

    def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return self._send(types.Page, "GET", "/fine_tuning/jobs", query)

    def retrieve(self, fine_tuning_job_id: str, **query: Any) -> types.FineTuningJob:
        """How far one is."""
        return self._send(types.FineTuningJob, "GET", path("/fine_tuning/jobs/{}", fine_tuning_job_id), query)

    def cancel(self, fine_tuning_job_id: str, **fields: Any) -> types.FineTuningJob:
        """End one."""
        where = path("/fine_tuning/jobs/{}/cancel", fine_tuning_job_id)
        return self._send(types.FineTuningJob, "POST", where, fields)

    def list_events(self, fine_tuning_job_id: str, **query: Any) -> types.Page:
        """What happened to one."""
        return self._send(types.Page, "GET", path("/fine_tuning/jobs/{}/events", fine_tuning_job_id), query)


class FineTuning(Resource):
    """Tuning of models."""

    @property
    def jobs(self) -> FineTuningJobs:
        """Models in the making."""
        return FineTuningJobs(self._client)


class VectorStoreFiles(Resource):
    """Files of a vector store."""

    def create(self, vector_store_id: str, *, file_id: str, **fields: Any) -> types.VectorStore:
        """Add one."""
        asked = {"file_id": file_id, **fields}
        return self._send(types.VectorStore, "POST", path("/vector_stores/{}/files", vector_store_id), asked)

    def list(self, vector_store_id: str, **query: Any) -> types.Page:
        """Those that are in it."""
        return self._send(types.Page, "GET", path("/vector_stores/{}/files", vector_store_id), query)

    def retrieve(self, file_id: str, *, vector_store_id: str, **query: Any) -> types.VectorStore:
        """How far one is."""
        return self._send(
            types.VectorStore, "GET", path("/vector_stores/{}/files/{}", vector_store_id, file_id), query
        )

    def delete(self, file_id: str, *, vector_store_id: str, **query: Any) -> types.Deleted:
        """Take one out."""
        return self._send(
            types.Deleted, "DELETE", path("/vector_stores/{}/files/{}", vector_store_id, file_id), query
        )


class VectorStoreBatches(Resource):
    """Files that are added to a vector store together."""

    def create(self, vector_store_id: str, *, file_ids: Sequence[str], **fields: Any) -> types.VectorStore:
        """Add some."""
        asked = {"file_ids": file_ids, **fields}
        where = path("/vector_stores/{}/file_batches", vector_store_id)
        return self._send(types.VectorStore, "POST", where, asked)

    def retrieve(self, batch_id: str, *, vector_store_id: str, **query: Any) -> types.VectorStore:
        """How far they are."""
        where = path("/vector_stores/{}/file_batches/{}", vector_store_id, batch_id)
        return self._send(types.VectorStore, "GET", where, query)

    def cancel(self, batch_id: str, *, vector_store_id: str, **fields: Any) -> types.VectorStore:
        """Add no more of them."""
        where = path("/vector_stores/{}/file_batches/{}/cancel", vector_store_id, batch_id)
        return self._send(types.VectorStore, "POST", where, fields)

    def list_files(self, batch_id: str, *, vector_store_id: str, **query: Any) -> types.Page:
        """Which they are."""
        where = path("/vector_stores/{}/file_batches/{}/files", vector_store_id, batch_id)
        return self._send(types.Page, "GET", where, query)


class VectorStores(Resource):
    """Vector stores at the provider."""

    @property
    def file_batches(self) -> VectorStoreBatches:
        """Files that are added together."""
        return VectorStoreBatches(self._client)

    @property
    def files(self) -> VectorStoreFiles:
        """Their files."""
        return VectorStoreFiles(self._client)

    def create(self, **fields: Any) -> types.VectorStore:
        """Make one."""
        return self._send(types.VectorStore, "POST", "/vector_stores", fields)

    def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return self._send(types.Page, "GET", "/vector_stores", query)

    def retrieve(self, vector_store_id: str, **query: Any) -> types.VectorStore:
        """What is known of one."""
        return self._send(types.VectorStore, "GET", path("/vector_stores/{}", vector_store_id), query)

    def update(self, vector_store_id: str, **fields: Any) -> types.VectorStore:
        """Change one."""
        return self._send(types.VectorStore, "POST", path("/vector_stores/{}", vector_store_id), fields)

    def delete(self, vector_store_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return self._send(types.Deleted, "DELETE", path("/vector_stores/{}", vector_store_id), query)
