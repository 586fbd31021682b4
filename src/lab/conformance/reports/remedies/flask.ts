import type { Snippets } from './remedy.ts';

export const flask: Snippets = {
  rawBody: `
@app.post("/phenixid")
def receive():
    data = request.get_data()  # before request.form or request.json: verify it, then json.loads(data)`,
  comparison: `
right = hmac.new(secret, data, hashlib.sha256).hexdigest()
holds = re.fullmatch("[0-9a-f]{64}", text) is not None and hmac.compare_digest(right, text)`,
  token: `
try:  # PyJWT
    claims = jwt.decode(token, secret_of_this_endpoint, algorithms=["HS256"])
except jwt.InvalidTokenError:
    return refuse()`,
  place: `
form = parse_qs(data.decode(errors="replace"), keep_blank_values=True)  # request.values takes the query, too
if len(form.get("token", [])) != 1:
    return refuse()`,
  storeFirst: `
with pool.connection() as connection:  # psycopg: commits where the block ends
    connection.execute("INSERT INTO inbox (endpoint, body) VALUES (%s, %s)", (endpoint, data))
return {"ok": True}  # a worker reads the table, and puts aside what it cannot use`,
  duplicates: `
with pool.connection() as connection:
    insert = "INSERT INTO seen (endpoint, id) VALUES (%s, %s) ON CONFLICT DO NOTHING"
    if connection.execute(insert, (endpoint, event_id)).rowcount == 1:
        handle(connection, event)  # a duplicate is answered as the first was`,
  order: `
revision = int(rev.split("-")[0])  # "10-x" is newer than "9-x"
update = "UPDATE profile SET rev = %s, data = %s WHERE id = %s AND rev < %s"
connection.execute(update, (revision, data, profile_id, revision))`,
  limits: `
app.config["MAX_CONTENT_LENGTH"] = 1_048_576  # 413
# gunicorn --limit-request-field_size 16384 --limit-request-line 8190 app:app`,
  timeouts: `
# gunicorn --worker-class gthread --threads 32 --timeout 30 app:app
# behind nginx, which passes on whole requests only:
#   client_header_timeout 10s; client_body_timeout 10s;`,
  errors: `
def refuse():
    return {"ok": False}, 401, {"WWW-Authenticate": "Signature"}

@app.errorhandler(500)  # and never debug=True
def failed(error):
    return {"ok": False}, 500`,
  methods: `
app.url_map.merge_slashes = False  # before the first route: no redirects

@app.route("/phenixid", methods=["POST"], provide_automatic_options=False)
def receive(): ...  # other methods get 405 with Allow by themselves`,
  escape: `
escaped = markupsafe.escape(text)  # in Jinja {{ text }}, never {{ text | safe }}`,
};
