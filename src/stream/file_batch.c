#include "stream/file_batch.h"

#include <assert.h>
#include <stdlib.h>

void
batch_directory_clear(struct batch_directory *directory)
{
	free(directory->from);
	free(directory->to);
	*directory = (struct batch_directory){0};
}

struct file_batch *
file_batch_new(struct error *err)
{
	struct file_batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		error_set_memory(err);
	return batch;
}

bool
batch_file_is_wanted(const struct batch_file *file)
{
	return !file->skip && !file->arrived && !error_is_set(&file->failure);
}

void
batch_file_clear(struct batch_file *file)
{
	free(file->from);
	free(file->to);
	free(file->content);
	*file = (struct batch_file){0};
}

void
file_batch_clear(struct file_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		batch_file_clear(&batch->files[i]);
	batch->count = 0;
	batch->size_bytes = 0;
}

void
file_batch_free(struct file_batch *batch)
{
	if (batch == NULL)
		return;
	file_batch_clear(batch);
	free(batch);
}

bool
file_batch_has_room(const struct file_batch *batch, uint64_t size_bytes)
{
	return batch->count < FILE_BATCH_MAX &&
	       size_bytes <= FILE_BATCH_BYTES - batch->size_bytes;
}

struct batch_file *
file_batch_add(
    struct file_batch *batch, char *from, char *to, uint64_t size_bytes)
{
	struct batch_file *file = &batch->files[batch->count];

	if (from == NULL || to == NULL) {
		free(from);
		free(to);
		return NULL;
	}
	assert(file_batch_has_room(batch, size_bytes));
	*file = (struct batch_file){.from = from, .to = to};
	batch->count++;
	batch->size_bytes += (size_t)size_bytes;
	return file;
}

int
batch_file_reserve(struct batch_file *file, size_t size_bytes)
{
	file->content = malloc(size_bytes + 1);
	if (file->content == NULL)
		return error_set_memory(&file->failure);
	file->content[size_bytes] = '\0';
	file->size_bytes = size_bytes;
	return 0;
}
