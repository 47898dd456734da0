// Decodes Kubernetes manifests strictly, as their own types: a field that there is not, or one of another type, is told.
//
//	go-manifests FILE...
//
// Prints `KIND NAME` for each document, and ends with 1 where one cannot be decoded.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// A ServingRuntime as KServe's v1alpha1 has it, so far as Assay's uses it: its containers are Kubernetes' own, decoded as those.
type servingRuntime struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              struct {
		SupportedModelFormats []struct {
			Name       string  `json:"name"`
			Version    *string `json:"version,omitempty"`
			AutoSelect *bool   `json:"autoSelect,omitempty"`
			Priority   *int32  `json:"priority,omitempty"`
		} `json:"supportedModelFormats,omitempty"`
		MultiModel                    *bool              `json:"multiModel,omitempty"`
		Disabled                      *bool              `json:"disabled,omitempty"`
		ProtocolVersions              []string           `json:"protocolVersions,omitempty"`
		Annotations                   map[string]string  `json:"annotations,omitempty"`
		Labels                        map[string]string  `json:"labels,omitempty"`
		Containers                    []corev1.Container `json:"containers"`
		Volumes                       []corev1.Volume    `json:"volumes,omitempty"`
		TerminationGracePeriodSeconds *int64             `json:"terminationGracePeriodSeconds,omitempty"`
	} `json:"spec,omitempty"`
}

func object(kind metav1.TypeMeta) any {
	switch kind.APIVersion + "/" + kind.Kind {
	case "apps/v1/Deployment":
		return &appsv1.Deployment{}
	case "v1/Service":
		return &corev1.Service{}
	case "v1/ServiceAccount":
		return &corev1.ServiceAccount{}
	case "v1/PersistentVolumeClaim":
		return &corev1.PersistentVolumeClaim{}
	case "policy/v1/PodDisruptionBudget":
		return &policyv1.PodDisruptionBudget{}
	case "autoscaling/v2/HorizontalPodAutoscaler":
		return &autoscalingv2.HorizontalPodAutoscaler{}
	case "networking.k8s.io/v1/NetworkPolicy":
		return &networkingv1.NetworkPolicy{}
	case "serving.kserve.io/v1alpha1/ServingRuntime", "serving.kserve.io/v1alpha1/ClusterServingRuntime":
		return &servingRuntime{}
	}
	return nil
}

func check(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return err
		}
		if kind.Kind == "" {
			continue
		}
		target := object(kind)
		if target == nil {
			return fmt.Errorf("%s %s is no kind that is known here", kind.APIVersion, kind.Kind)
		}
		// As the API server reads it: a name in the wrong case is no name.
		data, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.Kind, err)
		}
		strict, err := kjson.UnmarshalStrict(data, target)
		if err = errors.Join(append(strict, err)...); err != nil {
			return fmt.Errorf("%s: %w", kind.Kind, err)
		}
		fmt.Println(kind.Kind, target.(metav1.Object).GetName())
	}
}

func main() {
	status := 0
	for _, file := range os.Args[1:] {
		if err := check(file); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			status = 1
		}
	}
	os.Exit(status)
}
