#include "base/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

int
descriptors_open_standard(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		/* Opened for reading only, 1 fails to take what is written:
		 * output that is lost is an error. */
		int flags = fd == 2 ? O_RDWR : O_RDONLY;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* open() takes the lowest number, which is this one. */
		if (open("/dev/null", flags) != fd)
			return -1;
	}
	return 0;
}
