#include <stddef.h>

#include "base/descriptors.h"
#include "cli/command.h"

const struct command *const commands[] = {
    &portal_copy_command,
    &portal_check_command,
    &portal_log_command,
    &backup_create_command,
    &backup_list_command,
    &backup_show_command,
    &backup_files_command,
    &backup_extract_command,
    &backup_verify_command,
    &backup_drill_command,
    &backup_reencrypt_command,
    &backup_restore_command,
    &backup_adopt_command,
    &backup_prune_command,
    &backup_status_command,
    &backup_ack_command,
    &snapshot_create_command,
    &snapshot_list_command,
    &snapshot_restore_command,
    &snapshot_delete_command,
    &config_show_command,
    &doctor_command,
    NULL,
};

int
main(int argc, char **argv)
{
	if (descriptors_open_standard() < 0)
		return 1;
	return command_line_run(argc, argv);
}
