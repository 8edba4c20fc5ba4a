/* bare_sftp - the limit of a copy: the bytes of one file go from one instance
 * to another by SFTP, with requests on their way all the time, and nothing else
 * happens. No checks, no name of its own until it is whole, no attributes, no
 * fsync; any surprise ends it.
 *
 *     bare_sftp SOCKET FROM-INSTANCE FROM-PROJECT FROM-PATH
 *         TO-INSTANCE TO-PROJECT TO-PATH */

#include <endian.h>
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* Types of packets, and flags of OPEN (draft-ietf-secsh-filexfer-02). */
#define SFTP_INIT 1
#define SFTP_OPEN 3
#define SFTP_CLOSE 4
#define SFTP_READ 5
#define SFTP_WRITE 6
#define SFTP_STATUS 101
#define SFTP_HANDLE 102
#define SFTP_DATA 103
#define OPEN_READ 0x01U
#define OPEN_WRITE_NEW 0x1aU

/* What a READ asks for; 6.0.4 answers with 32 KiB, and then that is asked for.
 * A first answer below that was all there is. */
#define READ_BYTES (128U * 1024U)
#define READ_LEAST_BYTES (32U * 1024U)

/* Reads and writes on their way, and what a WRITE carries. Twice and half of
 * each are no faster. */
#define READS_BYTES (1024U * 1024U)
#define WRITES 8U
#define WRITE_BYTES (240U * 1024U)

struct session {
	int fd;
	uint32_t id;
	char handle[256];
	uint32_t handle_size;
	uint32_t size; /* of the answer in bytes, without its length */
	unsigned char bytes[256 * 1024];
	unsigned char room[64 * 1024]; /* what has come, from begin to end */
	size_t begin;
	size_t end;
};

static struct session from;
static struct session to;
static unsigned char block[WRITE_BYTES];

static void
send_all(struct session *session, const void *bytes, size_t size,
    const void *tail, size_t tail_size)
{
	struct iovec parts[2] = {{(void *)(uintptr_t)bytes, size},
	    {(void *)(uintptr_t)tail, tail_size}};

	while (parts[0].iov_len + parts[1].iov_len > 0) {
		ssize_t sent = writev(session->fd, parts, 2);

		if (sent < 0)
			err(1, "cannot send");
		for (size_t i = 0; i < 2; i++) {
			size_t part = (size_t)sent < parts[i].iov_len
					  ? (size_t)sent
					  : parts[i].iov_len;

			parts[i].iov_base = (char *)parts[i].iov_base + part;
			parts[i].iov_len -= part;
			sent -= (ssize_t)part;
		}
	}
}

/* So many bytes; what comes with small ones is kept, large ones go straight to
 * their place. */
static void
receive(struct session *session, unsigned char *target, size_t size)
{
	while (size > 0) {
		size_t there = session->end - session->begin;
		bool direct = there == 0 && size >= sizeof(session->room);
		ssize_t got;

		if (there > 0) {
			if (there > size)
				there = size;
			memcpy(target, session->room + session->begin, there);
			session->begin += there;
			target += there;
			size -= there;
			continue;
		}
		got = read(session->fd, direct ? target : session->room,
		    direct ? size : sizeof(session->room));
		if (got <= 0)
			err(1, "the daemon has gone");
		session->begin = 0;
		session->end = direct ? 0 : (size_t)got;
		target += direct ? got : 0;
		size -= direct ? (size_t)got : 0;
	}
}

static uint32_t
number_at(const unsigned char *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return be32toh(value);
}

/* The next answer: its type. Answers come in the order of the requests. */
static int
receive_answer(struct session *session)
{
	unsigned char length[4];

	receive(session, length, sizeof(length));
	session->size = number_at(length);
	if (session->size < 5 || session->size > sizeof(session->bytes))
		errx(1, "an answer of %u bytes", session->size);
	receive(session, session->bytes, session->size);
	return session->bytes[0];
}

static void
expect_done(struct session *session)
{
	if (receive_answer(session) != SFTP_STATUS ||
	    number_at(session->bytes + 5) != 0)
		errx(1, "a request was refused");
}

static unsigned char *
put_number(unsigned char *end, uint32_t value)
{
	value = htobe32(value);
	memcpy(end, &value, sizeof(value));
	return end + sizeof(value);
}

static unsigned char *
put_text(unsigned char *end, const char *text, size_t size)
{
	end = put_number(end, (uint32_t)size);
	memcpy(end, text, size);
	return end + size;
}

/* A request, which `tail` belongs to. The first four bytes are its length. */
static void
send_request(struct session *session, int type, unsigned char *packet,
    unsigned char *end, const void *tail, size_t tail_size)
{
	size_t size = (size_t)(end - packet);

	(void)put_number(packet, (uint32_t)(size - 4 + tail_size));
	packet[4] = (unsigned char)type;
	(void)put_number(packet + 5, session->id++);
	send_all(session, packet, size, tail, tail_size);
}

/* READ, WRITE and CLOSE begin with the handle. */
static unsigned char *
put_handle(struct session *session, unsigned char *packet)
{
	return put_text(packet + 9, session->handle, session->handle_size);
}

static void
connect_to(struct session *session, const char *path, const char *instance,
    const char *project)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char request[1024];
	char head[1024];
	size_t used = 0;
	static const unsigned char init[] = {0, 0, 0, 5, SFTP_INIT, 0, 0, 0, 3};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	session->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (session->fd < 0 ||
	    connect(session->fd, (const struct sockaddr *)&address,
		sizeof(address)) < 0)
		err(1, "cannot connect to '%s'", path);
	(void)snprintf(request, sizeof(request),
	    "GET /1.0/instances/%s/sftp?project=%s HTTP/1.1\r\nHost: incus\r\n"
	    "Connection: Upgrade\r\nUpgrade: sftp\r\n\r\n",
	    instance, project);
	send_all(session, request, strlen(request), NULL, 0);
	while (used < 4 || memcmp(head + used - 4, "\r\n\r\n", 4) != 0) {
		if (used == sizeof(head))
			errx(1, "the daemon's answer is not HTTP");
		receive(session, (unsigned char *)head + used++, 1);
	}
	if (memcmp(head + 9, "101", 3) != 0)
		errx(1, "Incus opens no SFTP session in '%s'", instance);
	send_all(session, init, sizeof(init), NULL, 0);
}

static void
open_file(struct session *session, const char *path, uint32_t flags)
{
	unsigned char packet[4096 + 32];
	unsigned char *end;

	if (strlen(path) > 4096)
		errx(1, "too long a path");
	end = put_text(packet + 9, path, strlen(path));
	end = put_number(end, flags);
	end = put_number(end, 0);
	send_request(session, SFTP_OPEN, packet, end, NULL, 0);
}

static void
expect_handle(struct session *session)
{
	(void)receive_answer(session); /* of INIT */
	if (receive_answer(session) != SFTP_HANDLE)
		errx(1, "a file cannot be opened");
	session->handle_size = number_at(session->bytes + 5);
	if (session->handle_size > sizeof(session->handle))
		errx(1, "too long a handle");
	memcpy(session->handle, session->bytes + 9, session->handle_size);
}

static void
ask_read(uint64_t offset, uint32_t size)
{
	unsigned char packet[512];
	unsigned char *end = put_handle(&from, packet);

	end = put_number(end, (uint32_t)(offset >> 32));
	end = put_number(end, (uint32_t)offset);
	end = put_number(end, size);
	send_request(&from, SFTP_READ, packet, end, NULL, 0);
}

static void
send_write(uint64_t offset, uint32_t size)
{
	static size_t on_their_way;
	unsigned char packet[512];
	unsigned char *end = put_handle(&to, packet);

	if (size > 0) {
		end = put_number(end, (uint32_t)(offset >> 32));
		end = put_number(end, (uint32_t)offset);
		end = put_number(end, size);
		send_request(&to, SFTP_WRITE, packet, end, block, size);
		on_their_way++;
	}
	while (on_their_way > (size > 0 ? WRITES : 0)) {
		expect_done(&to);
		on_their_way--;
	}
}

/* The data of a READ goes into the block, and a full block goes out. False is
 * the end of the file. */
static bool
take_data(uint64_t *written, uint32_t *used, uint32_t *ret_size)
{
	uint32_t done = 0;

	if (receive_answer(&from) != SFTP_DATA)
		return false;
	*ret_size = number_at(from.bytes + 5);
	while (done < *ret_size) {
		uint32_t part = WRITE_BYTES - *used;

		if (part > *ret_size - done)
			part = *ret_size - done;
		memcpy(block + *used, from.bytes + 9 + done, part);
		*used += part;
		done += part;
		if (*used < WRITE_BYTES)
			break;
		send_write(*written, *used);
		*written += *used;
		*used = 0;
	}
	return true;
}

static void
copy(void)
{
	uint32_t chunk = 0;
	uint32_t used = 0;
	uint32_t size;
	uint64_t asked;
	uint64_t written = 0;
	bool more;

	ask_read(0, READ_BYTES);
	more = take_data(&written, &used, &chunk) && chunk >= READ_LEAST_BYTES;
	asked = chunk;
	for (size_t i = 0; more && i < READS_BYTES / chunk; i++) {
		ask_read(asked, chunk);
		asked += chunk;
	}
	while (more && take_data(&written, &used, &size)) {
		ask_read(asked, chunk);
		asked += chunk;
		/* Only the last one may be short. */
		if (size != chunk)
			break;
	}
	if (used > 0)
		send_write(written, used);
	send_write(0, 0);
}

int
main(int argc, char **argv)
{
	unsigned char packet[512];

	if (argc != 8)
		errx(2, "wrong number of arguments");
	connect_to(&from, argv[1], argv[2], argv[3]);
	connect_to(&to, argv[1], argv[5], argv[6]);
	open_file(&from, argv[4], OPEN_READ);
	open_file(&to, argv[7], OPEN_WRITE_NEW);
	expect_handle(&from);
	expect_handle(&to);
	copy();
	send_request(&to, SFTP_CLOSE, packet, put_handle(&to, packet), NULL, 0);
	expect_done(&to);
	return 0;
}
