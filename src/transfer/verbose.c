#include "transfer/verbose.h"

#include "base/error.h"
#include "base/i18n.h"
#include "incus/client.h"
#include "incus/instance.h"
#include "transfer/watch.h"

void
verbose_daemon(const struct watch *watch, struct incus_client *client)
{
	const struct incus_server *server;
	struct error ignored = {0};

	if (!watch_wants_details(watch))
		return;
	/* What breaks here breaks again where it matters. */
	server = incus_client_server(client, &ignored);
	if (server != NULL)
		watch_detail(watch, _("Incus %s, '%s', at '%s'"),
		    server->version, server->name, incus_client_socket(client));
}

void
verbose_instance(const struct watch *watch, const char *word,
    const struct instance_ref *instance)
{
	watch_detail(watch, _("'%s' is '%s/%s'"), word, instance->project,
	    instance->name);
}
