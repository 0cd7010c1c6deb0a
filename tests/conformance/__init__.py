"""One suite for every provider: the folders of cases and of recorded answers say what is tested.

`requests/<kind>-<case>.json`                 a request in our dialect; what is sent for it stands in
`../golden/requests/<slug>/<same name>`       one file for each provider
`../golden/replies/<slug>/<kind>-<case>.txt`  a provider's answer, a line of dashes, our reply
`../golden/streams/<slug>/<kind>-<case>.txt`  a provider's stream, a line of dashes, our frames

A recorded answer may begin with lines that say more: `status: 429`, `request: {...}` (the fields of our request that
matter), `options: {...}` (the provider's), `strict: false`, `usage: none` (the stream bears none).
A half that is a failure ends with `!! <class>: <message>`. GATEKEY_UPDATE_GOLDEN=1 writes our side anew:
read the difference against the provider's documentation before it is kept.
"""
