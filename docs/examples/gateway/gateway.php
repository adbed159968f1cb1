<?php
// gateway.php: behind php-fpm, or for a trial: php -S 127.0.0.1:8080 gateway.php
declare(strict_types=1);

const PATH = '/v3/offlineface/authinfo';
const PASSED = ['content-type', 'content-language', 'request-id', 'date', 'retry-after'];

function setting(string $name, string $otherwise = ''): string
{
    $value = getenv($name);
    return $value === false ? $otherwise : $value;
}

function refuse(int $status, string $code): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    exit(json_encode(['code' => $code, 'message' => 'refused by the gateway']));
}

/** @return ?string[] token_sha256, device_id, sub_mchid, sub_appid, organization_id */
function device(string $token): ?array
{
    $digest = hash('sha256', $token);
    foreach (file(__DIR__ . '/devices.csv', FILE_IGNORE_NEW_LINES) ?: [] as $line) {
        $fields = explode(',', $line);
        if (count($fields) === 5 && hash_equals($fields[0], $digest)) {
            return $fields;
        }
    }
    return null;
}

function body_of(array $device, string $raw_data): string
{
    [, $device_id, $sub_mchid, $sub_appid, $organization_id] = $device;
    $fields = ['sp_appid' => setting('SP_APPID')] + ($sub_appid === '' ? [] : ['sub_appid' => $sub_appid])
        + compact('sub_mchid', 'device_id', 'raw_data', 'organization_id');
    return json_encode($fields, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
}

function authorization(string $body): string
{
    $timestamp = (string) time();
    $nonce = bin2hex(random_bytes(16));
    $key = openssl_pkey_get_private('file://' . setting('MERCHANT_KEY', 'apiclient_key.pem'));
    openssl_sign('POST' . "\n" . PATH . "\n$timestamp\n$nonce\n$body\n", $signature, $key, OPENSSL_ALGO_SHA256);
    return sprintf(
        'WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",signature="%s",timestamp="%s",serial_no="%s"',
        setting('SP_MCHID'), $nonce, base64_encode($signature), $timestamp, setting('MERCHANT_SERIAL_NO'),
    );
}

/** @return ?array{int, string[], string} status, header lines, raw body */
function post(string $url, string $body, string $serial): ?array
{
    $lines = [];
    $curl = curl_init($url . PATH);
    curl_setopt_array($curl, [
        CURLOPT_POSTFIELDS => $body,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_CONNECTTIMEOUT_MS => 3000,
        CURLOPT_TIMEOUT_MS => 4500,
        CURLOPT_HTTPHEADER => [
            'Accept: application/json', 'Content-Type: application/json', 'User-Agent: my-gateway/1.0', 'Expect:',
            "Wechatpay-Serial: $serial", 'Authorization: ' . authorization($body),
        ],
        CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$lines): int {
            $lines[] = rtrim($line, "\r\n");
            return strlen($line);
        },
    ]);
    $answer = curl_exec($curl);
    return $answer === false ? null : [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $lines, $answer];
}

if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) !== PATH) {
    refuse(404, 'PATH');
}
if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    refuse(405, 'METHOD');
}
$authorization = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
$device = str_starts_with($authorization, 'Bearer ') ? device(substr($authorization, 7)) : null;
if ($device === null) {
    refuse(401, 'TOKEN');
}
$body = file_get_contents('php://input', length: 16385);
$raw = preg_match('~"raw_data":"([A-Za-z0-9+/]{4,8192}={0,2})"~', $body, $found) === 1 ? $found[1] : '';
if ($raw === '' || $body !== body_of($device, $raw)) {
    refuse(403, 'NOT_THIS_DEVICE');
}
$serial = $_SERVER['HTTP_WECHATPAY_SERIAL'] ?? '';
if (preg_match('/^PUB_KEY_ID_[0-9A-Za-z_-]{1,80}$/D', $serial) !== 1) {
    refuse(400, 'SERIAL');
}
$last = null;
foreach (explode(',', setting('WXPAY_URLS', 'https://api.mch.weixin.qq.com,https://api2.mch.weixin.qq.com')) as $url) {
    $answer = post($url, $body, $serial);
    $last = $answer ?? $last;
    if ($answer !== null && !in_array($answer[0], [502, 503, 504], true)) {
        break;
    }
}
if ($last === null) {
    refuse(502, 'UPSTREAM');
}
[$status, $lines, $content] = $last;
http_response_code($status);
header_remove('X-Powered-By');
foreach ($lines as $line) {
    $name = strtolower(strstr($line, ':', true) ?: '');
    if (str_starts_with($name, 'wechatpay-') || in_array($name, PASSED, true)) {
        header($line);
    }
}
echo $content;
