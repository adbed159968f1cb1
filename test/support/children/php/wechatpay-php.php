<?php
// Sends what wechatpay-php 1.4.9 over Guzzle 7 sends, and believes what that believes, without either of them: the same notations, request
// line, headers, JSON and signature, and no Wechatpay-Serial.
declare(strict_types=1);

namespace WeChatPay\Crypto {
    final class Rsa
    {
        public const KEY_TYPE_PRIVATE = 'private';
        public const KEY_TYPE_PUBLIC = 'public';

        public static function from(string $pem, string $type): \OpenSSLAsymmetricKey
        {
            return $type === self::KEY_TYPE_PRIVATE ? openssl_pkey_get_private($pem) : openssl_pkey_get_public($pem);
        }
    }
}

namespace WeChatPay {
    final class Builder
    {
        public static function factory(array $settings): Endpoint
        {
            return new Endpoint($settings, []);
        }
    }

    final class Endpoint implements \ArrayAccess
    {
        public function __construct(private array $settings, private array $segments) {}

        public function __get(string $segment): self { return $this->chain($segment); }
        public function chain(string $path): self { return new self($this->settings, [...$this->segments, $path]); }
        public function offsetExists(mixed $path): bool { return true; }
        public function offsetGet(mixed $path): self { return $this->chain($path); }
        public function offsetSet(mixed $path, mixed $value): void { throw new \LogicException('read only'); }
        public function offsetUnset(mixed $path): void { throw new \LogicException('read only'); }

        public function post(array $options): Answer
        {
            return $this->postAsync($options)->wait();
        }

        /** Under way when this returns. */
        public function postAsync(array $options): Later
        {
            $lines = [];
            $path = '/' . implode('/', $this->segments);
            $body = json_encode($options['json'], JSON_THROW_ON_ERROR);
            $request = curl_init(rtrim($this->settings['base_uri'], '/') . $path);
            curl_setopt_array($request, [
                CURLOPT_POSTFIELDS => $body,
                CURLOPT_RETURNTRANSFER => true,
                CURLOPT_CAINFO => $this->settings['verify'],
                CURLOPT_HTTPHEADER => [
                    'Accept: application/json, text/plain, application/x-gzip, application/pdf, image/png, image/*;q=0.5',
                    'Content-Type: application/json; charset=utf-8',
                    'User-Agent: wechatpay-php/1.4.9 GuzzleHttp/7 curl/' . curl_version()['version'] . ' (Linux/6) PHP/' . PHP_VERSION,
                    'Authorization: ' . $this->authorization($path, $body),
                    'Expect:',
                ],
                CURLOPT_HEADERFUNCTION => function ($request, string $line) use (&$lines): int {
                    [$name, $value] = explode(':', $line, 2) + [1 => ''];
                    $lines[strtolower($name)] = trim($value);
                    return strlen($line);
                },
            ]);
            $several = curl_multi_init();
            curl_multi_add_handle($several, $request);
            curl_multi_exec($several, $running);
            return new Later(function () use ($several, $request, &$lines): Answer {
                do {
                    curl_multi_exec($several, $running);
                    curl_multi_select($several);
                } while ($running > 0);
                $answer = new Answer(curl_getinfo($request, CURLINFO_RESPONSE_CODE), curl_multi_getcontent($request) ?? '');
                $this->verify($answer, $lines);
                return $answer;
            });
        }

        private function authorization(string $path, string $body): string
        {
            [$nonce, $timestamp] = [bin2hex(random_bytes(16)), (string) time()];
            openssl_sign("POST\n$path\n$timestamp\n$nonce\n$body\n", $signature, $this->settings['privateKey'], OPENSSL_ALGO_SHA256);
            return sprintf(
                'WECHATPAY2-SHA256-RSA2048 mchid="%s",serial_no="%s",timestamp="%s",nonce_str="%s",signature="%s"',
                $this->settings['mchid'], $this->settings['serial'], $timestamp, $nonce, base64_encode($signature),
            );
        }

        private function verify(Answer $answer, array $lines): void
        {
            $key = $this->settings['certs'][$lines['wechatpay-serial'] ?? ''] ?? throw new \RuntimeException("no key: $answer->status $answer->body");
            $signed = "{$lines['wechatpay-timestamp']}\n{$lines['wechatpay-nonce']}\n$answer->body\n";
            $good = openssl_verify($signed, base64_decode($lines['wechatpay-signature']), $key, OPENSSL_ALGO_SHA256) === 1;
            if (!$good || abs(time() - (int) $lines['wechatpay-timestamp']) > 300) throw new \RuntimeException('signature');
        }
    }

    final class Answer
    {
        public function __construct(public readonly int $status, public readonly string $body) {}
        public function getStatusCode(): int { return $this->status; }
        public function getBody(): string { return $this->body; }
    }

    final class Later
    {
        public function __construct(private \Closure $work) {}
        public function then(callable $next): self { return new self(fn () => $next(($this->work)())); }
        public function wait(): mixed { return ($this->work)(); }
    }
}
