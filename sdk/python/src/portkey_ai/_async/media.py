"""Resources that the gateway forwards to the provider: images, sounds, files, batches, tuning, vector stores.

A file is a `pathlib.Path`, an open file, bytes, or `(name, content[, media type])`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portkey_ai import types
from portkey_ai._async.resource import AsyncResource
from portkey_ai._calls import path


class AsyncImages(AsyncResource):
    """Images."""

    async def generate(self, *, prompt: str, **fields: Any) -> types.Images:
        """Make them of a text."""
        return await self._send(types.Images, "POST", "/images/generations", {"prompt": prompt, **fields})

    async def edit(self, *, image: Any, prompt: str, mask: Any = None, **fields: Any) -> types.Images:
        """Change an image, or several."""
        files = {"image": image, "mask": mask}
        return await self._send(types.Images, "POST", "/images/edits", {"prompt": prompt, **fields}, files=files)

    async def create_variation(self, *, image: Any, **fields: Any) -> types.Images:
        """Vary an image."""
        return await self._send(types.Images, "POST", "/images/variations", fields, files={"image": image})


class AsyncSpeech(AsyncResource):
    """Speech."""

    async def create(self, *, input: str, **fields: Any) -> types.Content:
        """Speak a text."""
        return await self._send(types.Content, "POST", "/audio/speech", {"input": input, **fields})


class AsyncTranscriptions(AsyncResource):
    """Speech as text."""

    async def create(self, *, file: Any, **fields: Any) -> types.Transcription:
        """Write down what is said."""
        return await self._send(types.Transcription, "POST", "/audio/transcriptions", fields, files={"file": file})


class AsyncTranslations(AsyncResource):
    """Speech as English text."""

    async def create(self, *, file: Any, **fields: Any) -> types.Transcription:
        """Write down in English what is said."""
        return await self._send(types.Transcription, "POST", "/audio/translations", fields, files={"file": file})


class AsyncAudio(AsyncResource):
    """Sounds."""

    @property
    def speech(self) -> AsyncSpeech:
        """Speech."""
        return AsyncSpeech(self._client)

    @property
    def transcriptions(self) -> AsyncTranscriptions:
        """Speech as text."""
        return AsyncTranscriptions(self._client)

    @property
    def translations(self) -> AsyncTranslations:
        """Speech as English text."""
        return AsyncTranslations(self._client)


class AsyncFiles(AsyncResource):
    """Files at the provider."""

    async def create(self, *, file: Any, purpose: str, **fields: Any) -> types.File:
        """Upload one."""
        return await self._send(types.File, "POST", "/files", {"purpose": purpose, **fields}, files={"file": file})

    async def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return await self._send(types.Page, "GET", "/files", query)

    async def retrieve(self, file_id: str, **query: Any) -> types.File:
        """What is known of one."""
        return await self._send(types.File, "GET", path("/files/{}", file_id), query)

    async def content(self, file_id: str, **query: Any) -> types.Content:
        """What is in one."""
        return await self._send(types.Content, "GET", path("/files/{}/content", file_id), query)

    async def retrieve_content(self, file_id: str, **query: Any) -> types.Content:
        """What is in one."""
        return await self.content(file_id, **query)

    async def delete(self, file_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/files/{}", file_id), query)


class AsyncBatches(AsyncResource):
    """Many requests in a file."""

    async def create(
        self, *, input_file_id: str, endpoint: str, completion_window: str = "24h", **fields: Any
    ) -> types.Batch:
        """Begin one."""
        asked = {"input_file_id": input_file_id, "endpoint": endpoint, "completion_window": completion_window, **fields}
        return await self._send(types.Batch, "POST", "/batches", asked)

    async def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return await self._send(types.Page, "GET", "/batches", query)

    async def retrieve(self, batch_id: str, **query: Any) -> types.Batch:
        """How far one is."""
        return await self._send(types.Batch, "GET", path("/batches/{}", batch_id), query)

    async def output(self, batch_id: str, **query: Any) -> types.Content:
        """What one has answered, a line each."""
        return await self._send(types.Content, "GET", path("/batches/{}/output", batch_id), query)

    async def cancel(self, batch_id: str, **fields: Any) -> types.Batch:
        """End one."""
        return await self._send(types.Batch, "POST", path("/batches/{}/cancel", batch_id), fields)


class AsyncCheckpoints(AsyncResource):
    """States of a model in the making that were kept."""

    async def list(self, fine_tuning_job_id: str, **query: Any) -> types.Page:
        """All of them."""
        return await self._send(types.Page, "GET", path("/fine_tuning/jobs/{}/checkpoints", fine_tuning_job_id), query)


class AsyncFineTuningJobs(AsyncResource):
    """Models in the making."""

    @property
    def checkpoints(self) -> AsyncCheckpoints:
        """Their states that were kept."""
        return AsyncCheckpoints(self._client)

    async def create(self, *, model: str, training_file: str, **fields: Any) -> types.FineTuningJob:
        """Begin one."""
        asked = {"model": model, "training_file": training_file, **fields}
        return await self._send(types.FineTuningJob, "POST", "/fine_tuning/jobs", asked)

    async def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return await self._send(types.Page, "GET", "/fine_tuning/jobs", query)

    async def retrieve(self, fine_tuning_job_id: str, **query: Any) -> types.FineTuningJob:
        """How far one is."""
        return await self._send(types.FineTuningJob, "GET", path("/fine_tuning/jobs/{}", fine_tuning_job_id), query)

    async def cancel(self, fine_tuning_job_id: str, **fields: Any) -> types.FineTuningJob:
        """End one."""
        where = path("/fine_tuning/jobs/{}/cancel", fine_tuning_job_id)
        return await self._send(types.FineTuningJob, "POST", where, fields)

    async def list_events(self, fine_tuning_job_id: str, **query: Any) -> types.Page:
        """What happened to one."""
        return await self._send(types.Page, "GET", path("/fine_tuning/jobs/{}/events", fine_tuning_job_id), query)


class AsyncFineTuning(AsyncResource):
    """Tuning of models."""

    @property
    def jobs(self) -> AsyncFineTuningJobs:
        """Models in the making."""
        return AsyncFineTuningJobs(self._client)


class AsyncVectorStoreFiles(AsyncResource):
    """Files of a vector store."""

    async def create(self, vector_store_id: str, *, file_id: str, **fields: Any) -> types.VectorStore:
        """Add one."""
        asked = {"file_id": file_id, **fields}
        return await self._send(types.VectorStore, "POST", path("/vector_stores/{}/files", vector_store_id), asked)

    async def list(self, vector_store_id: str, **query: Any) -> types.Page:
        """Those that are in it."""
        return await self._send(types.Page, "GET", path("/vector_stores/{}/files", vector_store_id), query)

    async def retrieve(self, file_id: str, *, vector_store_id: str, **query: Any) -> types.VectorStore:
        """How far one is."""
        return await self._send(
            types.VectorStore, "GET", path("/vector_stores/{}/files/{}", vector_store_id, file_id), query
        )

    async def delete(self, file_id: str, *, vector_store_id: str, **query: Any) -> types.Deleted:
        """Take one out."""
        return await self._send(
            types.Deleted, "DELETE", path("/vector_stores/{}/files/{}", vector_store_id, file_id), query
        )


class AsyncVectorStoreBatches(AsyncResource):
    """Files that are added to a vector store together."""

    async def create(self, vector_store_id: str, *, file_ids: Sequence[str], **fields: Any) -> types.VectorStore:
        """Add some."""
        asked = {"file_ids": file_ids, **fields}
        where = path("/vector_stores/{}/file_batches", vector_store_id)
        return await self._send(types.VectorStore, "POST", where, asked)

    async def retrieve(self, batch_id: str, *, vector_store_id: str, **query: Any) -> types.VectorStore:
        """How far they are."""
        where = path("/vector_stores/{}/file_batches/{}", vector_store_id, batch_id)
        return await self._send(types.VectorStore, "GET", where, query)

    async def cancel(self, batch_id: str, *, vector_store_id: str, **fields: Any) -> types.VectorStore:
        """Add no more of them."""
        where = path("/vector_stores/{}/file_batches/{}/cancel", vector_store_id, batch_id)
        return await self._send(types.VectorStore, "POST", where, fields)

    async def list_files(self, batch_id: str, *, vector_store_id: str, **query: Any) -> types.Page:
        """Which they are."""
        where = path("/vector_stores/{}/file_batches/{}/files", vector_store_id, batch_id)
        return await self._send(types.Page, "GET", where, query)


class AsyncVectorStores(AsyncResource):
    """Vector stores at the provider."""

    @property
    def file_batches(self) -> AsyncVectorStoreBatches:
        """Files that are added together."""
        return AsyncVectorStoreBatches(self._client)

    @property
    def files(self) -> AsyncVectorStoreFiles:
        """Their files."""
        return AsyncVectorStoreFiles(self._client)

    async def create(self, **fields: Any) -> types.VectorStore:
        """Make one."""
        return await self._send(types.VectorStore, "POST", "/vector_stores", fields)

    async def list(self, **query: Any) -> types.Page:
        """Those that are there."""
        return await self._send(types.Page, "GET", "/vector_stores", query)

    async def retrieve(self, vector_store_id: str, **query: Any) -> types.VectorStore:
        """What is known of one."""
        return await self._send(types.VectorStore, "GET", path("/vector_stores/{}", vector_store_id), query)

    async def update(self, vector_store_id: str, **fields: Any) -> types.VectorStore:
        """Change one."""
        return await self._send(types.VectorStore, "POST", path("/vector_stores/{}", vector_store_id), fields)

    async def delete(self, vector_store_id: str, **query: Any) -> types.Deleted:
        """Delete one."""
        return await self._send(types.Deleted, "DELETE", path("/vector_stores/{}", vector_store_id), query)
