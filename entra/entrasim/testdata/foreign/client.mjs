// Drives simulated tenants with Microsoft's own JavaScript client and prints
// what it saw as one JSON document. ROOT, TENANT_ID, CLIENT_ID and CLIENT_SECRET
// come from the environment.
import { BatchRequestContent, BatchResponseContent, Client, GraphError, PageIterator } from "@microsoft/microsoft-graph-client";

const { ROOT, TENANT_ID, CLIENT_ID, CLIENT_SECRET } = process.env;

async function accessToken() {
  const answer = await fetch(`${ROOT}/${TENANT_ID}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      scope: `${ROOT}/.default`,
    }),
  });
  if (!answer.ok) throw new Error(`token: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).access_token;
}

const client = Client.init({
  baseUrl: `${ROOT}/`,
  customHosts: new Set([new URL(ROOT).hostname]),
  authProvider: (done) => accessToken().then((t) => done(null, t), (e) => done(e, null)),
});

const seen = {};

// A list over several pages, with the client's own iterator.
const listed = [];
const pages = new PageIterator(client, await client.api("/users").top(2).select(["id", "displayName"]).get(), (u) => {
  listed.push(u.displayName);
  return true;
});
await pages.iterate();
seen.listed = listed;

// A first delta round, a change, a second round.
async function round(link) {
  const items = [];
  for (;;) {
    const page = await client.api(link).get();
    items.push(...page.value);
    if (page["@odata.deltaLink"]) return { items, link: page["@odata.deltaLink"] };
    link = page["@odata.nextLink"];
  }
}
const first = await round("/users/delta?$select=displayName,city");
await client.api(`/users/${first.items[0].id}`).patch({ city: "Bonn" });
const second = await round(first.link);
seen.delta = { first: first.items.length, second: second.items };

// An invitation, and its update inside a batch beside a request that fails.
const invitation = await client.api("/invitations").post({
  invitedUserEmailAddress: "guest@partner.example",
  inviteRedirectUrl: "https://myapplications.microsoft.com",
});
seen.status = invitation.status;
const guest = invitation.invitedUser.id;
// The batch wants whole URLs and sends what follows the host.
const batch = new BatchRequestContent([
  {
    id: "update",
    request: new Request(`${ROOT}/users/${guest}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ displayName: "Guest of honour", userType: "Member" }),
    }),
  },
  { id: "missing", request: new Request(`${ROOT}/users/00000000-0000-4000-8000-000000000000`, { method: "GET" }) },
]);
const answers = new BatchResponseContent(await client.api("/$batch").post(await batch.getContent()));
seen.batch = Object.fromEntries([...answers.getResponses()].map(([id, r]) => [id, r.status]));
seen.guest = await client.api(`/users/${guest}`).select(["displayName", "userType", "externalUserState"]).get();
delete seen.guest["@odata.context"];

// An error arrives as the client's own type.
try {
  await client.api("/users/nobody@partner.example").get();
} catch (e) {
  seen.error = { typed: e instanceof GraphError, status: e.statusCode, code: e.code };
}

console.log(JSON.stringify(seen));
