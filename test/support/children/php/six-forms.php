<?php
// The six ways in which wechatpay-php and its documentation write this request: three notations, each blocking and not. Settings come as JSON
// on standard input; what each way got is a line of output. With the SDK's own autoload.php as an argument it is the SDK that is run, else
// wechatpay-php.php beside this file.
declare(strict_types=1);

require $argv[1] ?? __DIR__ . '/wechatpay-php.php';

$on = json_decode(stream_get_contents(STDIN), true, 8, JSON_THROW_ON_ERROR);
$instance = WeChatPay\Builder::factory([
    'mchid' => $on['mchid'],
    'serial' => $on['serial'],
    'privateKey' => WeChatPay\Crypto\Rsa::from($on['key'], WeChatPay\Crypto\Rsa::KEY_TYPE_PRIVATE),
    'certs' => [$on['platform_id'] => WeChatPay\Crypto\Rsa::from($on['platform_key'], WeChatPay\Crypto\Rsa::KEY_TYPE_PUBLIC)],
    'base_uri' => $on['url'],
    'verify' => $on['ca'],
]);
$json = fn (): array => ['json' => ['raw_data' => base64_encode(random_bytes(503))] + $on['fields']];
$tell = function (string $form, $response): void {
    $answer = json_decode((string) $response->getBody(), true);
    echo "$form: {$response->getStatusCode()} ", strlen($answer['authinfo'] ?? '') > 0 ? 'authinfo' : 'none', "\n";
};

$tell('chained', $instance->v3->offlineface->authinfo->post($json()));
$tell('by path', $instance->chain('v3/offlineface/authinfo')->post($json()));
$tell('by key', $instance['v3/offlineface/authinfo']->post($json()));
$instance->v3->offlineface->authinfo->postAsync($json())->then(fn ($got) => $tell('chained, later', $got))->wait();
$instance->chain('v3/offlineface/authinfo')->postAsync($json())->then(fn ($got) => $tell('by path, later', $got))->wait();
$instance['v3/offlineface/authinfo']->postAsync($json())->then(fn ($got) => $tell('by key, later', $got))->wait();
