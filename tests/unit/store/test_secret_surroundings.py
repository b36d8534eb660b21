"""Secrets without a format of their own, in the surroundings that people write.

Found by an attack on the tables: each of these was in a recording once it was made.
"""

# ruff: noqa: E501, RUF001 - a text is read on one line, in the letters of its language

from __future__ import annotations

import json
import random
import string

import pytest

from harness.redaction.config import Redaction

RULES = Redaction()
# Drawn, so that no scanner finds it in this file; with three changes of kind or more.
SECRET = (
    "q7Z" + "".join(random.Random(4).sample(string.ascii_letters, 6)) + "9wB2xK4mR8vN"
)

TEXTS = [
    '{"Authorization": "Token %s"}',
    "{'authorization': 'ApiKey %s'}",
    '[["x-api-key", "%s"]]',
    '{"headers": [["Authorization", "Token %s"]]}',
    '{"password": {"value": "%s"}}',
    '{"api_key": {"S": "%s"}}',
    '{"api_keys": ["first-of-them-1", "%s"]}',
    '["login", "--token", "%s"]',
    '{"cmd": "tool --db-password %s run"}',
    "tool --api-key %s",
    "mysql -u root -p%s app",
    "sshpass -p %s ssh host",
    "redis-cli -h host -a %s ping",
    "docker login -u me -p %s registry",
    "ALTER USER a WITH PASSWORD '%s';",
    "CREATE USER 'a'@'h' IDENTIFIED BY '%s';",
    "machine api.host.com login me password %s",
    "machine api.host.com\nlogin me\npassword %s",
    "set -x API_KEY %s",
    "setenv API_KEY %s",
    'setx API_KEY "%s"',
    "ENV API_KEY %s",
    'os.Setenv("API_KEY", "%s")',
    'os.environ.setdefault("API_KEY", "%s")',
    "define('DB_PASSWORD', '%s');",
    'source.setPassword("%s");',
    'ConvertTo-SecureString "%s" -AsPlainText -Force',
    "- name: API_KEY\n  value: %s",
    'variable "db_password" {\n  default = "%s"\n}',
    "password = <<EOF\n%s\nEOF",
    "password: |\n  %s\n",
    "password: >-\n  %s\n",
    "password: &shared %s",
    'Config { api_token: Some("%s"), port: 80 }',
    '["password"]=> string(32) "%s"',
    'password := []byte("%s")',
    'jwtSecret: Buffer.from("%s")',
    '=> #<User id: 1, password_digest: "%s">',
    '{"kind":"Secret","apiVersion":"v1","data":{"a.txt":"%s"}}',
    '{"stringData":{"foo":"%s"},"kind":"Secret"}',
    'env:\n  - {name: TOKEN_SECRET, value: "%s"}',
    '{"name":"api_token","in":"header","value":"%s"}',
    '"inputs": [{"id": "token", "password": true, "value": "%s"}]',
    '      + secret_key                     = "%s"',
    "<key>token</key>\n<string>%s</string>",
    "<property><name>fs.s3a.secret.key</name><value>%s</value></property>",
    "token: !!str %s",
    "::add-mask::%s",
    "##vso[task.setvariable variable=API_KEY;issecret=true]%s",
    'gh variable set API_KEY --body "%s"',
    "$ cat ~/.openai_key\n%s",
    "$ pass show mail/work\n%s",
    "$ security find-generic-password -w\n%s",
    "A temporary password is generated for root@localhost: %s",
    "Password for the elastic user (see the docs):\n  %s",
    "Please use the following password to proceed:\n\n%s\n",
    "x-vercel-protection-bypass: %s",
    '.bearer_auth("%s")',
    '{"cmd": "set(\\\\\\"x-api-key\\\\\\", \\\\\\"%s\\\\\\")"}',
    '{"cmd": "| Name | Password |\n|---|---|\n| me | %s |"}',
    'const apiKey: string = "%s"',
    'let apiKey: String = "%s"',
    'var password = @"%s";',
    "local password = [[%s]]",
    '<wsse:Password Type="x">%s</wsse:Password>',
    "<ns:apiKey>%s</ns:apiKey>",
    "<password><![CDATA[%s]]></password>",
    "<key>password</key>\n<string>%s</string>",
    '<meta name="csrf-token" content="%s">',
    "userPassword:: %sQQ==",
    "**Password:** %s",
    "**API key**: `%s`",
    "- **password** %s",
    "| password | %s |",
    "API key: %s",
    "my secret key: %s",
    "The API key is %s.",
    "the password was: %s",
    "Das Passwort lautet %s",
    "password (%s)",
    "password - %s",
    "password -> %s",
    "password == %s",
    "password\t%s",
    "password\uff1a%s",
    "password:\u00a0%s",
    "password = \u201c%s\u201d",
    "https://host/reset-password/%s",
    "host:$6$abcdefgh$%s%s:19000",
    '--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n%s\r\n--b--',
    '--b\r\nContent-Disposition: form-data; name="password"\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b--',
    '{"kty": "RSA", "n": "abc", "d": "%s%s"}',
    '{"k": "%s%s", "kid": "a", "kty": "oct"}',
    "PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 2\n%s\n%s\n",
    "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n%s\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
    "-----BEGIN+PRIVATE+KEY-----%%0A%s%%0A-----END+PRIVATE+KEY-----",
    '"-----BEGIN PRIVATE KEY-----\\n" +\n"%s\\n" +\n"-----END PRIVATE KEY-----"',
    "https://api.telegram.org/bot123456789:AAabcdefghijkl%s/getMe",
    "use 00Dabcdefghijkl!%s%s%s",
    "pass_phrase=%s",
    "SecretString: %s",
    "secret_key_base: %s",
    "passwort: %s",
    '{"seed_phrase": "%s"}',
    '{"psk": "%s"}',
    "dbpw=%s",
    "gh secret set API_KEY --body %s",
    "http -a user:%s host/x",
    'curl -H \'Authorization: Digest username="u", realm="r", response="0123456789abcdef0123456789abcdef"\' -u me:%s host',
    '{"value": "%s", "name": "x-api-key"}',
    '[{"Key": "db_password", "Value": "%s"}]',
    '{"identitytoken": "%s"}',
    "    client-key-data: %s",
    "kind: Secret\nstringData:\n  first: %s\n  other: %s\n",
    "db.host:5432:app:me:%s",
    "*:*:*:postgres:%s",
    '"Cmd": ["redis-server", "--requirepass", "%s"]',
    "      - traefik.http.middlewares.a.basicauth.users=me:%s",
    "CREDENTIALS\tASIA1\t2026-01-01T00:00:00Z\t%s\tx",
    'password = "%s" -> "%s"',
    "Kennwort: %s",
    "Der API-Schlüssel lautet %s",
    "Clé secrète : %s",
    "mi clave es %s",
    "我的密钥是 %s",
    "パスワードは%sです",
    "Пароль от сервера — %s",
    "chave de API: %s",
    "    [secret:Config:private] => %s",
    'object(C)#1 (1) { ["apiKey":"C":private]=>\n  string(32) "%s" }',
    'a:1:{s:8:"password";s:32:"%s";}',
    'SecretString { inner: "%s" }',
    'Auth::Bearer("%s")',
    "Key                  Value\n---                  -----\ntoken                %s",
    "h.example\tFALSE\t/\tTRUE\t0\tsessionid\t%s",
    "$ vault kv get -field=password secret/x\n%s",
    "$ kubectl get secret x -o jsonpath='{.data.password}' | base64 -d\n%s\n$ ",
    "    Key Content            : %s",
    "Unseal Key 1: %s",
    "SAMLResponse=%s",
    'set the password to "%s"',
    "change the password from foo to %s",
    "password [prod]: %s",
    "Password for 'https://me@host': %s",
    "username admin password 7 %s",
    "snmp-server community %s RO",
    "here is my key %s",
    "Incorrect API key provided: %s. You can find yours at https://host.",
    "ssh-keygen -t ed25519 -N '%s' -f key",
    "ansible-vault encrypt_string '%s' --name 'x'",
    'gcloud secrets create x --data-file=<(echo -n "%s")',
    '{"Parameter": {"Type": "SecureString", "Value": "%s"}}',
    "https://me:Tr/%s#@host.example/x",
    "ftp://u:a?%s@host",
    'variable "api_key" {\n  type = string\n  default = "%s"\n}',
    'Mistral("abcdefgh1234567890abcdefgh123456"); password=%s',
    'requests.get(url, auth=("me", "%s"))',
    'HTTPBasicAuth("me", "%s")',
    'SecretStr("%s")',
    "CREATE USER me WITH PASSWORD '%s'",
    'password "%s"',
    'req.Header.Set("X-Api-Key", "%s")',
    "Password for admin: %s",
    "API key for staging = %s",
    "user=me pass=%s",
    "my pass is %s",
    "keytool -storepass %s -list",
    "openssl rsa -passin pass:%s",
    "openssl enc -k %s",
    "unzip -P %s a.zip",
    "7z x a.7z -p%s",
    "mongosh -u me -p %s host",
    "mongosh -u me -p %s host, mongosh -u me -p %s other",
    "az login --service-principal -u x -p %s --tenant t",
    "twine upload -u __token__ -p %s dist",
    "ldapsearch -D cn=me -w %s",
    "xfreerdp /u:me /p:%s /v:host",
    "echo 'me:%s' | chpasswd",
    "echo %s | docker login --password-stdin",
    "mc alias set m http://h user1 %s",
    "tool -password %s",
    "| user | password |\n|------|----------|\n| me | %s |\n",
    "id,user,password,role\n1,me,%s,admin\n",
    '"user";"api_key"\n"me";"%s"\n',
    "NAME     PASSWORD\nme       %s\n",
    " user | password \n------+----------\n me   | %s\n(1 row)",
    "INSERT INTO users (name, password) VALUES ('me', '%s');",
    "INSERT INTO users (id, password) VALUES (1, 'a'), (2, '%s')",
    "COPY users (id, password) FROM stdin;\n1\t%s\n\\.",
    '{"columns":["user","password"],"rows":[["me","%s"]]}',
    "SET PASSWORD FOR me = '%s'",
    "jdbc:oracle:thin:scott/%s@//h:1521/s",
    "sqlplus scott/%s@db",
    "sftp me:%s@host",
    "lftp -u me,%s ftp.example.com",
    "smbclient -U me%%%s //h/s",
    "net use Z: \\\\srv\\share /user:dom\\me %s",
    "cmdkey /add:srv /user:me /pass:%s",
    "snmpwalk -v2c -c %s host",
    "vault login %s",
    "htpasswd -b file me %s",
    "curl --proxy-user me:%s host",
    "kubectl create secret generic x --from-literal=foo=%s",
    "kinit me <<< %s",
    "requirepass %s",
    "db.login('me', '%s')",
    'DriverManager.getConnection("jdbc:mysql://h/d", "root", "%s")',
    "crypto.createHmac('sha256', '%s')",
    "jwt.sign(payload, '%s')",
    'let token: &str = "%s";',
    "if password == '%s':",
    "os.environ.get('API_KEY') or '%s'",
    "expect(apiKey).toBe('%s')",
    '{"element":"Password field","ref":"e2","text":"%s"}',
    'page.getByLabel("Password").fill("%s")',
    "Authorization: Splunk %s",
    'Authorization: Hawk id="a", mac="%s"',
    "https://host.example/reset/%s",
    "https://hooks.zapier.com/hooks/catch/123456/%s",
    "login: me / %s",
    "API Key (production): %s",
    "log in as admin with %s as the password",
    "\u043f\u0430\u0440\u043e\u043b\u044c: %s",
    "\u5bc6\u7801\uff1a%s",
    '{"client_assertion": "%s"}',
    '{"password": {"_text": "%s"}}',
    'expect "assword:"\nsend "%s\\r"',
    'setx OPENAI_KEY "%s" /M',
    'restic -r s3:x --password-command "echo %s" backup /',
    "define('SECURE_AUTH_KEY',  '%s');",
    'bolt: {"auth": ("neo4j", "%s")}',
    "bindpw %s",
    "auth_pass %s",
    '[2025-03-01 10:00:00] local.ERROR: SQLSTATE[HY000] (Connection: mysql) PDO->__construct("mysql:host=db", "root", "%s", Array)',
    'array(2) {\n  ["user"]=>\n  string(3) "bob"\n  ["pass"]=>\n  string(16) "%s"\n}',
    'const stripe = require("stripe")("%s");',
    'session = boto3.Session("AKIAQ3EGR5ZJ4T6W7XYA", "%s")',
    'paramiko.connect(host, 22, "root", "%s")',
    'ftp = FTP("h", "bob", "%s")',
    'jwt.encode({"a": 1}, "%s", algorithm="HS256")',
    "parser.add_argument('--token', default='%s')",
    'new UsernamePasswordAuthenticationToken("u", "%s")',
    'Keys.hmacShaKeyFor("%s".getBytes())',
    'Algorithm.HMAC256("%s")',
    'new SymmetricSecurityKey(Encoding.UTF8.GetBytes("%s"))',
    'new ClientSecretCredential(tenant, client, "%s")',
    'var jwtKey = []byte("%s")',
    'db, err := sql.Open("mysql", "root:%s@tcp(127.0.0.1:3306)/x")',
    '.basic_auth("u", Some("%s"))',
    "CREATE LOGIN x WITH PASSWORD = N'%s';",
    "EXEC sp_addlogin 'bob', '%s'",
    'Use "%s" as password for the staging db.',
    "I set it to %s (that is the new root password).",
    "our key for Mapbox is %s",
    "can you log in with bob@x.example / %s and check?",
    "Le mot de passe est « %s ».",
    "contraseña de la base de datos: %s",
    "パスワードは「%s」です",
    "https://h/hooks/%s",
    'my $dbh = DBI->connect("dbi:mysql:x", "root", "%s");',
    '{password, "%s"}',
    "In [3]: os.environ[\"OPENAI_API_KEY\"]\nOut[3]: '%s'",
    "Ticket #12: reset pw for jdoe to %s",
    "Please find the API token below:\n\n%s\n",
    "Secret key (keep it safe!): %s",
    "the passphrase for id_rsa is %s",
    "WiFi: Office-5G / %s",
    "hydra -l admin -p %s ssh://h",
    "impacket-psexec dom/admin:%s@10.0.0.1",
    "rtmp://a.rtmp/live2/%s",
    'psql: error: password authentication failed for user "app" (password used: "%s")',
    "Quick reminder, the Grafana admin password got rotated to %s this morning",
    'logger.info("connecting with api key %%s", "%s")',
    'client.DefaultRequestHeaders.Authorization = new("Bearer", "%s");',
    'Rails.application.credentials.dig(:aws, :secret) # => "%s"',
    'export const config = {\n  auth: { secret: process.env.S ?? "%s" },\n};',
    "пароль от базы %s",
    'E   AssertionError: assert "%s" == settings.API_KEY',
    "vault token lookup %s",
    'pass insert -e web/x <<< "%s"',
    '"Password1" is too weak, use "%s" as the new password instead',
    "AKIAQ3EGR5ZJ4T6W7XYA %s%s",
    "tool -u bob -p %s",
    'smbclient //h/s -U "d\\\\me%%20%s"',
    "https://outlook.office.com/webhook/1a5e741f-2dd7-4684-0761-7e0f4b71074a@1a5e741f-2dd7-4684-0761-7e0f4b71074a/IncomingWebhook/%s%s/x",
    "api_keys:\n  - %s",
    "npm config set //h/:_auth %s",
    'setx HF_KEY "%s"',
    '"%s" = my admin-password',
    'parser.add_argument("--api-key", type=str, help="of v1, v2", default="%s")',
    "Please log in using bob and %s",
    "snmp-server user bob grp v3 auth sha %s priv aes 128 %s",
    "tacacs-server host 10.0.0.1 key 7 %s",
    'OAuth1UserHandler("ck", "%s", "at", "%s")',
    "token d'accès : %s",
    "mein Zugriffstoken ist %s",
    'var password = @"%s";',
    'char pass[] = "%s";',
    "O token de acesso é %s, ok",
    "token dostępu: %s",
    "The default login for the router is admin / %s.",
    'client := openai.NewClient("%s9wB2")',
    "Le jeton d'accès est %s.",
    "El token de la API es %s",
    "Das Passwort für joe lautet %s",
    "Please store this somewhere safe: %s",
    "root:%s@10.0.0.4",
    'Auth.basic("joe", "%s")',
    'echo "%s" > ~/.npm_token',
    "what's the API key?\nassistant: It's `%s`.",
    "ERROR Failed to auth with key '%s9wB2xK4mR8vN'",
    "Here's the login: joe@x.example %s",
    "prod:happy-otter-123|%s",
    "https://mcp.host.example/s/%s9wB2/sse",
    "$ pwgen 20 1\n%s",
    '{"type":"type","text":"%s","label":"password field"}',
    '{"element":"Passwort","ref":"e12","text":"%s"}',
    "{&quot;password&quot;: &quot;%s&quot;}",
    "&lt;password&gt;%s&lt;/password&gt;",
    "token=&#39;%s&#39;",
    "-----BEGIN OpenVPN Static key V1-----\n%s\n-----END OpenVPN Static key V1-----",
    '{"serviceApiKeyV2": "%s"}',
    '{"signing_secret_current": "%s"}',
    '{"privateKeyPem": "%s"}',
    '{"apiKeyString": "%s"}',
    '<string name="maps_key">%s%s</string>',
    '{"api_key": {"type": "string", "default": "%s"}}',
    '{"password": {"type": "string", "examples": ["%s"]}}',
    '{"pass": {"type": "hidden", "value": "%s"}}',
    '{"name": "Cookie", "value": "theme=dark; sid=%s"}',
    "user[password]=%s&user[name]=x",
    '<input value="%s" name="authenticity_token" type="hidden">',
    'Const ApiKey As String = "%s"',
    "password = <<-EOT\n  %s\n  EOT",
    "MOVE '%s' TO WS-PASSWORD.",
    "cryptsetup luksOpen /dev/sda x <<< %s",
    "hcloud context create x <<< %s",
    "rootpw --plaintext %s",
    "ssh-keygen -p -P %s -f key",
    "knife ssh x -P %s",
    "unrar x -p%s a.rar",
    "SELECT pgp_sym_decrypt(c, '%s')",
    'tokens {\n  agent = "%s"\n}',
    'acl.tokens.initial_management = "%s"',
    "Net::HTTP.basic_auth 'me', '%s'",
    'standard.set("%s", forKey: "authToken")',
    'let client = Client::new("%s9wB2");',
    'bcrypt.hashpw(b"%s", salt)',
    'pbkdf2_hmac("sha256", b"%s", salt, 1)',
    'CryptoJS.AES.encrypt(text, "%s")',
    'create_user("me", "me@x.example", "%s")',
    "JWT.encode payload, '%s', 'HS256'",
    "cookieSession({ keys: ['%s'] })",
    'secrets: { db: "%s" }',
    '{"anthropic": {"type": "oauth", "refresh": "%s9wB2"}}',
    "Atzr|%s%s%s",
    "v^1.1#i^1#%s%s",
    "authenticate with %s as bearer",
    "Use this token to authenticate: %s",
    "use %s to log in as me",
    "here you go: admin / %s (staging)",
    "a001 LOGIN me %s",
    "ftp> user me %s",
    '"me" * "%s"',
    "Replace YOUR_KEY with %s.",
    '{"type": "random_password", "instances": [{"attributes": {"result": "%s"}}]}',
    "heads-up: DB creds are app_rw / %s",
    "login for the CMS: me@x.example / %s",
    "<auth-user-pass>\nme\n%s\n</auth-user-pass>",
    "snmpv3 user x privPass %s",
    "pac key 0 %s",
    "vault operator unseal %s",
    "mysql_connect('localhost', 'root', '%s')",
    """buildConfigField 'String', 'MAPS_KEY', '\"%s\"'""",
]


def left(text: str) -> bool:
    """Return whether eight characters of the secret in a row are still there."""
    return any(SECRET[i : i + 8] in text for i in range(len(SECRET) - 7))


@pytest.mark.parametrize("text", TEXTS)
def test_a_secret_goes_whatever_is_around_it(text: str) -> None:
    """As a body, in a prompt, and in the arguments of a call, also of a log's."""
    body = text.replace("%%", "%\0").replace("%s", SECRET).replace("%\0", "%")
    arguments = json.dumps({"text": body})
    for sent in (
        body,
        json.dumps({"messages": [{"role": "user", "content": body}]}),
        json.dumps({"tool_calls": [{"function": {"arguments": arguments}}]}),
        json.dumps({"content": json.dumps({"arguments": arguments})}),
    ):
        assert left(sent)
        assert RULES.body_secrets(sent.encode()), sent
        assert not left(RULES.body(sent.encode()).decode()), sent


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASSWORD=83920174",
        "password: 83920174",
        "--password 83920174",
        '{"password": 83920174}',
        "the password is 83920174",
        "user=me&passwd=83920174",
    ],
)
def test_password_of_digits_goes(text: str) -> None:
    """A number beside the word is a password; one beside `token` is a count."""
    for sent in (text, json.dumps({"content": text})):
        assert "83920174" not in RULES.body(sent.encode()).decode(), sent
    count = b"token: 83920174, max_tokens=83920174, the token is 83920174"
    assert RULES.body(count) == count


@pytest.mark.parametrize(
    "text",
    [
        "machine host login me password %s",
        "default login anonymous password %s",
        "consul kv put app/db/password %s",
        "rootpw %s",
        "La password \u00e8 %s",
        "use %s as the new password",
    ],
)
def test_password_of_small_letters_and_digits_goes(text: str) -> None:
    """Behind a blank, too, where a hash, an id or a name is none."""
    secret = SECRET.lower()
    for sent in (text % secret, json.dumps({"content": text % secret})):
        assert secret[:8] not in RULES.body(sent.encode()).decode(), sent
    for value in ("9f86d081884c7d65", "claude4sonnet5x", "v1-beta2-rc3-x4"):
        body = (text % value).encode()
        assert RULES.body(body) == body


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("the password is %s", "sB6dovALKFMnLGRf"),
        ("const x = { user: 'a', pass: '%s' }", "sB6dovALKFMnLGRf"),
        ('var password = @"%s";', "ZAqlAF4Dwbrc"),
        ("char pass[] = '%s';", "LU52xIHldTnm"),
        ("I logged in as admin with %s as password", "Lp9!wQz3#Vt6"),
        ("I can't share the password %s with you.", "Zt8!mPw3Qk"),
        ("the root password (%s); keep it", "Zt8!mPw3Qk"),
        ('#define WIFI_PASSWORD "%s"', "ZAqlAF4Dwbrc"),
        ("temp pw: %s", "Kx9vQ2mZ7rT"),
        ("the pin for the safe is %s", "84213907"),
        ("Il PIN è %s", "84213907"),
        ("La password è %s", "Kx9vQ2mZ7rT"),
        ("Passwordet er %s", "Kx9vQ2mZ7rT"),
        ("Adgangskoden er %s", "Kx9vQ2mZ7rT"),
        ("Passordet er %s", "Kx9vQ2mZ7rT"),
        ("Lösenordet är %s", "Kx9vQ2mZ7rT"),
        ("Lozinka je %s", "Kx9vQ2mZ7rT"),
        ("Паролата е %s", "Kx9vQ2mZ7rT"),
        ("Ο κωδικός είναι %s", "Kx9vQ2mZ7rT"),
        ("รหัสผ่านคือ %s", "Kx9vQ2mZ7rT"),
        ("Kata sandinya %s", "Kx9vQ2mZ7rT"),
        ("Şifreniz %s olarak değiştirildi", "Kx9vQ2mZ7rT"),
        ("Parolanız: %s", "Kx9vQ2mZ7rT"),
        ("The recovery codes are %s", "0a6b9-b6ba8, d2c6e-66afe"),
        ("smtp_pass=%s", "qzkv bnai wexr mjhg"),
        ("we use %s for the staging password", "Lp9!wQz3#Vt6"),
        ("the licence key is %s", "3ZK7Q-9WB2X-K4MR8-VN3SA"),
        ("mqtt.username_pw_set('me', '%s')", "Lp9!wQz3#Vt6"),
        ('the root password is now "%s"', "pWYrxBDgiDR906"),
        ("tell nobody, but the password's %s", "CmBxFl^ip269"),
        ("ssh root@host, pw %s", "Kx9vQ2mZ7rT4"),
        ("encryption key used: %s", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
        ("my application password is %s", "aB3d E5gH 7jK9 mN1p Q3sT 5vW7"),
        (
            "mnemonic phrase: %s",
            "legal winner thank year wave sausage worth useful ozone ridge yellow zebra",
        ),
        ("kubeadm join h:6443 --token %s", "abcdef.eoyyjzsggqwi90tb"),
        ("x\nBOOTSTRAP_TOKEN=%s", "q7r4b1.v35sj5yjydvn8f35"),
        ("enable password level 15 %s", "Zey2nfit@Fp"),
        ("os.environ.get('SECRET_KEY', '%s')", "tm*q=hh(g!s&)jq54e7!g)pw4(ew"),
        ('credentials {\n  username "user"\n  password "%s"\n}', "tBYINLX4Cd"),
        ("<User>me</User><Pass>%s</Pass>", "aK1gJnGVa0"),
        ('<Pass encoding="base64">%s</Pass>', "sPFzo0ADtOSA5A=="),
        ('<INPUT TYPE="PASSWORD" VALUE="%s" NAME="x">', "Qbqyj@5962"),
        ("DUO_SKEY=%s", "q7Zt9wB2xK4mR8vN3sAA1cD5eF6gH7jK8mN9pQ2r"),
        ("-H 'Jenkins-Crumb:%s'", "9f86d081884c7d659a2feaa0c55ad015"),
        (
            "cosmos secondary key: %s",
            "Zq7Zt9wB2xK4mR8vN3sAA1cD5eF6gH7jK8mN9pQ2rS4=",
        ),
        (
            "seed_phrase = %s",
            "legal winner thank year wave sausage worth useful ozone ridge yellow zebra",
        ),
        (
            "it is %s.",
            "q7Zt9wB2+K4mR8vN3sAA" * 7 + "8dB04t89/1O/w1cDnyilFU=",
        ),
        ("Key: %s", "aB3dE5gH-7jK9mN1pQ3_sT5vW7yZ9bC1dF3"),
        ("the secret token that I use is `%s`", "bV-0O2AvN6ATkml0jiEDuJ6KavdmB-Ie"),
        ("x InstrumentationKey=%s", "3f2b8a10-8a55-4c3e-9c1b-0a1b2c3d4e5f"),
        ("openweathermap.org/data?q=x&appid=%s", "e26d71777cc649b09ef540bdafa398d0"),
    ],
)
def test_a_short_or_lettered_secret_goes(text: str, secret: str) -> None:
    """Those with few digits, with marks between letters, and of other alphabets."""
    for sent in (text % secret, json.dumps({"content": text % secret})):
        redacted = RULES.body(sent.encode()).decode()
        assert not any(part in redacted for part in secret.split()), sent


@pytest.mark.parametrize("unseen", "\xad\u200b\u200c\u200d\u2060\ufeff")
def test_characters_without_width_hide_nothing(unseen: str) -> None:
    """Within a key or a password, as they stand or escaped, at any step."""
    for step in (1, 3, 7):
        pieces = [SECRET[i : i + step] for i in range(0, len(SECRET), step)]
        secret = unseen.join(pieces)
        for text in (f"use sk-proj-{secret} now", f"password={secret}"):
            for escaped in (True, False):
                sent = json.dumps({"content": text}, ensure_ascii=escaped)
                redacted = RULES.body(sent.encode())
                seen = json.loads(redacted)["content"].replace(unseen, "")
                assert not left(seen), sent
                assert RULES.body(redacted) == redacted


def test_hexadecimal_escapes_hide_nothing() -> None:
    r"""A key written as `\x73\x6b...`, as JavaScript and Python have it."""
    key = "".join(f"\\x{ord(character):02x}" for character in f"sk-proj-{SECRET}")
    for sent in (f'k = "{key}"', json.dumps({"content": f'k = "{key}"'})):
        redacted = RULES.body(sent.encode()).decode()
        assert "x37\\" not in redacted.replace("\\\\", "\\")


@pytest.mark.parametrize(
    "name",
    [
        "pat",
        "X-PAT",
        "x-otp",
        "x-signature-ed25519",
        "x-honeycomb-team",
        "bearer",
        "X-JFrog-Art-Api",
        "DPoP",
        "Jenkins-Crumb",
        "X-Shopify-Hmac-Sha256",
        "X-Csrf",
        "X-Pass",
        "X-2FA-Code",
        "X-Ms-Authorization-Auxiliary",
    ],
)
def test_a_header_goes_by_its_name(name: str) -> None:
    """Also those of one word that is short."""
    assert not left(RULES.headers({name: [SECRET]})[name][0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "CREATE USER 'a'@'h' IDENTIFIED BY '%s';",
        "openssl rsa -passin pass:%s -in k",
        "gh secret set A --body '%s'",
        "echo %s | docker login --password-stdin",
    ],
)
def test_behind_a_long_text_commands_count_too(command: str) -> None:
    """Beyond 4 MiB those rows that say `everywhere`."""
    long = b"word " * 900_000 + (command % SECRET).encode()
    assert len(RULES.text_spans(long, ())) == 1
